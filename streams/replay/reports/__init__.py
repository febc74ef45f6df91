"""Reports over snapshots: one SQL file each, beside the module that reads and draws them."""
