/// Server blocks of nginx as people write them.
enum Conf {
  /// The upstream in a variable: its name is looked up for each request, by Docker's DNS.
  static func variable(_ host: String, _ upstream: String, _ more: String...) -> String {
    """
    server {
        listen 80;
        server_name \(host);
        resolver 127.0.0.11 valid=5s;
        resolver_timeout 2s;

        location / {
            set $upstream \(upstream);
            proxy_pass $upstream;
            proxy_set_header Host $host;
    \(lines(more))    }
    }

    """
  }

  /// The upstream as it is: its name is looked up once, when nginx loads the file.
  static func literal(_ host: String, _ upstream: String, _ more: String..., listen: Int = 80) -> String {
    """
    server {
        listen \(listen);
        server_name \(host);

        location / {
            proxy_pass \(upstream);
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    \(lines(more))    }
    }

    """
  }

  /// The upstream in a block of its own.
  static func group(
    _ host: String, _ name: String, _ server: String, _ more: String..., scheme: String = "http",
    listen: Int = 80
  ) -> String {
    """
    upstream \(name) {
        server \(server);
        keepalive 8;
    }

    server {
        listen \(listen);
        server_name \(host) www.\(host);

        location / {
            proxy_pass \(scheme)://\(name);
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Connection "";
    \(lines(more))    }
    }

    """
  }

  private static func lines(_ more: [String]) -> String {
    more.map { "        \($0)\n" }.joined()
  }
}
