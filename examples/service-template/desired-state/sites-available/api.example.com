server {
    listen 80;
    server_name api.example.com;

    # Example API
    location /example/ {
        # Public /example/status goes to /api/example/status. Both paths end in a slash.
        proxy_pass http://localhost:8020/api/example/;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;

        # Only if browsers on other origins call it. Keep the whole set in this one block.
        add_header Access-Control-Allow-Origin "*" always;
        add_header Access-Control-Allow-Methods "GET, POST, OPTIONS" always;
        add_header Access-Control-Allow-Headers "Content-Type, Authorization" always;
        if ($request_method = OPTIONS) {
            return 204;
        }
    }
}
