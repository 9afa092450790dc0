"""What is true: formulas of battery physics on floats, arrays and expressions."""
