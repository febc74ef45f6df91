"""Pages that stand alone, with charts: what every other page of HTML is made of."""
