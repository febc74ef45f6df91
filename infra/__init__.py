"""One adapter per outside thing. Adapters know shapes (an event, a fold, a delta), never a named one."""
