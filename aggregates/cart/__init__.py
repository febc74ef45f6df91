"""A cart: what a member, or a guest's session, means to buy; open until it is checked out or abandoned."""
