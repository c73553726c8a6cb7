"""Web, worker and beat on one machine: how `manage.py up` starts, watches and ends them."""
