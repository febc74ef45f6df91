"""Where members' keys are kept."""
