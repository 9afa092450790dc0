"""What can be chosen: entries, calculations, objectives, costs, transforms, samplers, estimators."""
