"""Plans, regions, models, prices and traits: dated data files and typed look-up."""
