"""What works on the project rather than in it: checks, lists, generators. The runnable files call these modules."""
