"""The latent explorer: a state that takes events, its face on a page, and a prompt server."""
