"""What happens on each input: HTTP requests and jobs."""
