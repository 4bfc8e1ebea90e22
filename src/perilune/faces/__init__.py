"""What people and programs see of Perilune."""
