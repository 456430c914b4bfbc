"""Shell, components, error pages, API mount, addresses: the outermost ring."""
