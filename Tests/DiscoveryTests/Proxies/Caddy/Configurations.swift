/// Caddyfiles as people write them.
enum Configurations {
  struct Broken: Sendable {
    let text: String
    let line: Int
    var near: String?
  }

  static let good: [[String: String]] =
    [
      "http://a.test {\n\treverse_proxy app:3000\n}\n",
      "a.test\n\nreverse_proxy app:3000\n",
      ":8080\nreverse_proxy localhost:3000",
      "a.test, www.a.test,\nb.test {\n  reverse_proxy http://app:3000\n}",
      "http://a.test:8080 http://b.test {\n  reverse_proxy https://up.lan\n}",
      "a.test {\n  reverse_proxy app\n}\n*.b.test {\n  reverse_proxy wild:1\n}\nx.b.test {\n  reverse_proxy x:2\n}",
      "http:// {\n  reverse_proxy any:1\n}\nhttp://a.test {\n  reverse_proxy one:1\n}",
      "http://a.test {\n  handle_path /api/* {\n    reverse_proxy api:4000\n  }\n  handle {\n    reverse_proxy web:80\n  }\n}",
      "http://a.test {\n  handle /api/* {\n    reverse_proxy api:4000\n  }\n  handle /api/v1/* {\n    reverse_proxy v1:1\n  }\n  handle {\n    respond \"nothing\" 404\n  }\n}",
      "http://a.test {\n  reverse_proxy web:80\n  reverse_proxy /api/* api:4000\n  reverse_proxy /api/v1/* v1:4000\n  redir /old /new permanent\n  respond /ws 204\n}",
      "http://a.test {\n  route /api/* {\n    uri strip_prefix /api\n    reverse_proxy api:4000\n  }\n  route {\n    rewrite * /x{uri}\n    reverse_proxy web:1\n  }\n}",
      "http://a.test {\n  @php path *.php\n  reverse_proxy @php php:1\n  @notadmin not path /admin*\n  reverse_proxy @notadmin web:1\n  reverse_proxy admin:1\n}",
      "http://a.test {\n  @both {\n    path /api/*\n    method GET POST\n  }\n  reverse_proxy @both api:1\n  @ws {\n    header Connection *Upgrade*\n    header Upgrade websocket\n  }\n  reverse_proxy @ws ws:1\n  @local remote_ip private_ranges\n  respond @local 403\n}",
      "(proxy) {\n  reverse_proxy {args[0]}:{args[1]} {\n    header_up Host {upstream_hostport}\n  }\n}\nhttp://a.test {\n  import proxy app 3000\n}\nhttp://b.test {\n  import proxy other 4000\n}",
      "(secure) {\n  encode gzip\n  {block}\n}\nhttp://a.test {\n  import secure {\n    reverse_proxy app:1\n  }\n}",
      "{\n  http_port 8080\n  admin off\n  order reverse_proxy before handle\n}\nhttp://a.test {\n  handle {\n    respond 404\n  }\n  reverse_proxy app:3000\n}",
      "http://a.test {\n  reverse_proxy {\n    to one:1 two:2\n    to three:3\n    lb_policy round_robin\n    health_uri /health\n    health_status 2xx\n    health_port 8081\n    fail_duration 30s\n  }\n}",
      "http://a.test {\n  reverse_proxy app:1 {\n    health_uri /up?x=1\n    health_status 204\n    transport http {\n      dial_timeout 1500ms\n      response_header_timeout 1m30s\n      read_timeout 20s\n      max_response_header 64KB\n      keepalive off\n    }\n  }\n}",
      "http://a.test {\n  reverse_proxy https://app:8443 {\n    transport http {\n      tls_insecure_skip_verify\n      tls_server_name inner.lan\n    }\n    header_up Host {host}\n  }\n}",
      "http://a.test {\n  reverse_proxy app:8443 {\n    transport http {\n      tls\n      tls_trust_pool file /etc/ca.pem\n    }\n  }\n}\nhttp://b.test {\n  reverse_proxy app:8443 {\n    transport http {\n      tls_trust_pool file {\n        pem_file /a.pem\n      }\n    }\n  }\n}",
      "http://a.test {\n  root * /srv\n  php_fastcgi php:9000\n  file_server\n}\nhttp://b.test {\n  root * /srv\n  try_files {path} /index.html\n  file_server\n}",
      "http://a.test {\n  forward_auth auth:9091 {\n    uri /api/verify\n    copy_headers Remote-User Remote-Email\n  }\n  reverse_proxy app:1\n}",
      "http://a.test {\n  reverse_proxy unix//run/app.sock\n  reverse_proxy /api/* unix+h2c//run/grpc.sock\n}\nhttp://b.test {\n  reverse_proxy h2c://grpc:50051\n}",
      "http://a.test {\n  reverse_proxy {\n    dynamic a app 3000\n  }\n}\nhttp://b.test {\n  reverse_proxy {\n    dynamic a {\n      name app\n      port 9000\n      refresh 5s\n    }\n  }\n}",
      "http://a.test {\n  reverse_proxy app:{$PORT}\n}\nhttp://b.test {\n  reverse_proxy {$HOST_OF_APP:fallback}:1\n}",
      "http://a.test {\n  handle_errors {\n    respond \"{err.status_code}\"\n  }\n  reverse_proxy app:1\n}",
      "http://a.test {\n  # a comment { with a brace\n  respond /old `{\"a\": \"b\"}` 200\n  respond /ws <<TEXT\n    hello\n      world\n    TEXT 200\n  reverse_proxy \"app:1\" # more\n}",
      "http://a.test {\n  reverse_proxy one:1 \\\n    two:2\n  uri /api/* replace /api/ /v2/\n}",
      "&(app) {\n  reverse_proxy app:1\n}\nhttp://a.test {\n  invoke app\n}\nhttp://b.test {\n  invoke /api/* app\n}",
      "http://a.test {\n  basic_auth {\n    bob $2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG\n  }\n  header -Server\n  log\n  tls internal\n  reverse_proxy app:1\n}",
      "https://a.test:9000 {\n  reverse_proxy [::1]:3000\n}\nlocalhost {\n  respond \"hi\"\n}\n:80 {\n  redir https://{host}{uri}\n}",
      "http://a.test {\n  rewrite /docs/* /index.html\n  rewrite /api /other\n  @x path_regexp ^/static/.*\\.css$\n  reverse_proxy @x css:1\n  reverse_proxy app:1\n}",
      "http://a.test {\n  handle /api* {\n    handle_path /api/v1* {\n      reverse_proxy v1:1\n    }\n    reverse_proxy api:1\n  }\n  abort /admin\n  error /old 410\n  reverse_proxy :3000\n}",
      "http://a.test {\n  reverse_proxy app:8000-8002\n}",
      "http://a.test {\r\n  handle /api/* {\r\n    reverse_proxy api:1 \\\r\n      two:2\r\n  }\r\n  reverse_proxy app:1\r\n}\r\n",
      "(app) {\n  reverse_proxy x:1 {args[0:1]}\n  header X {args[-1:]} {args[1:9223372036854775807]}\n}\nhttp://a.test {\n  import app one:1 two:2\n}",
      "(app) {\n  reverse_proxy {args[:]}\n}\nhttp://a.test {\n  import app one:1 two:2\n}",
      "http://a.test {\n  @pages {\n    path /api/*\n    path /docs/*\n    method POST\n    method GET\n  }\n  reverse_proxy @pages pages:1\n  reverse_proxy app:2\n}",
      "http://a.test {\n  @rest not {\n    path /api/*\n    path /docs/*\n  }\n  reverse_proxy @rest rest:1\n  reverse_proxy app:2\n}",
      ":80\n@api path /api/*\nreverse_proxy @api api:1\nreverse_proxy web:2",
      "http://a.test {\n  @plain header !X-Token\n  reverse_proxy @plain plain:1\n  reverse_proxy app:2\n}",
      "http://a.test {\n  @asked query v=2\n  reverse_proxy @asked new:1\n  reverse_proxy app:2\n}",
      "http://a.test {\n  @api expression `path('/api/*')`\n  reverse_proxy @api api:1\n  @docs `path('/docs/*')`\n  reverse_proxy @docs docs:1\n  reverse_proxy app:2\n}",
      "http://a.test {\n  @none path\n  reverse_proxy @none none:1\n  @all {\n  }\n  reverse_proxy @all all:2\n}",
      "(inner) {\n  handle {\n    {blocks.web}\n  }\n  handle /api* {\n    {blocks.api}\n    {blocks.none}\n  }\n}\nhttp://a.test {\n  import inner {\n    web {\n      reverse_proxy web:2 {\n        header_up X y\n      }\n    }\n    api reverse_proxy api:3\n  }\n}",
      "http://a.test {\n  php_fastcgi php:9000 {\n    read_timeout 60s\n    dial_timeout 7s\n    write_timeout 9s\n    split .php .php5\n  }\n}\nhttp://b.test {\n  root * /srv\n  php_fastcgi php:9000 {\n    try_files {path} {path}/index.php =404\n  }\n}",
      "http://a.test {\n  php_fastcgi php:9000 {\n    index off\n    try_files {path} front.php\n  }\n}",
      "http://a.test {\n  route {\n    @front {\n      file {\n        try_files {path} front.php\n      }\n    }\n    rewrite @front {file_match.relative}\n    @php path *.php\n    reverse_proxy @php php:9000 {\n      transport fastcgi\n    }\n  }\n}",
      "http://a.test {\n  reverse_proxy {env.NAME_OF_APP}:3000\n}",
      ":8080 {\n  tls internal\n  reverse_proxy web:1\n}",
      "http://a.test {\n  @office remote_ip 192.168.0.0/16\n  reverse_proxy @office office:1\n  reverse_proxy app:2\n}",
      "http://a.test {\n  reverse_proxy app:1 {\n    @fine status 2xx\n    replace_status @fine 204\n  }\n}",
      "http://a.test {\n  bind 127.0.0.2\n  reverse_proxy one:1\n}\nhttp://a.test {\n  bind 127.0.0.3\n  reverse_proxy one:1\n}",
      "http://a.test {\n  respond \"<<no heredoc\"\n}",
      "http:// {\n  map {host} {up} {number} {\n    a.test app 3000\n    ~^(.*)\\.b\\.test$ ${1} 4000\n    default other 5000\n  }\n  reverse_proxy {up}:{number}\n}",
      "http:// {\n  @numbered header_regexp label Host ^(a|b)\\.test\n  reverse_proxy @numbered {re.label.1}:80\n  redir https://{host}\n}",
      "http://a.test {\n  @user path_regexp ^/api/(v\\d)/(.*)$\n  rewrite @user /{re.user.2}?v={re.user.1}\n  reverse_proxy app:1\n}",
      "http://*.test {\n  vars up app\n  reverse_proxy /api/* {vars.up}:1\n  reverse_proxy {labels.1}:2\n}",
      "http://a.test {\n  root * /srv\n  try_files {path} {path}/index.php =404\n  reverse_proxy app:1\n}",
    ].map { ["Caddyfile": $0] } + [
      [
        "Caddyfile": "import common\nimport sites/*.caddy\n",
        "common": "(shared) {\n  encode gzip\n}\n",
        "sites/a.caddy": "http://a.test {\n  import shared\n  reverse_proxy app:1\n}\n",
        "sites/b.caddy": "http://b.test {\n  import ../parts/b\n}\n",
        "parts/b": "reverse_proxy b:2\n",
      ],
      [
        "Caddyfile": "import common\nhttp://a.test {\n  import passed app {\n    header_up Host {host}\n  }\n}\n",
        "common": "(passed) {\n  reverse_proxy {args[0]}:1 {\n    {block}\n  }\n}\n",
      ],
    ]

  static let broken = [
    Broken(text: "{\n  servers {\n    listen :80\n  }\n}\nhttp://a.test {\n  reverse_proxy app:1\n}\n", line: 3),
    Broken(text: "{\n  emial a@a.test\n}\nhttp://a.test {\n  reverse_proxy app:1\n}\n", line: 2, near: "email"),
    Broken(text: "http://a.test {\n  reverse_proxy one:1\n}\nhttp://a.test {\n  reverse_proxy two:2\n}\n", line: 4),
    Broken(text: "http://a.test {\n  invoke nobody\n  reverse_proxy app:1\n}\n", line: 2),
    Broken(text: "&(first) {\n  invoke second\n}\nhttp://a.test {\n  invoke first\n}\n", line: 2),
    Broken(text: "&(one) {\n  respond a\n}\n&(one) {\n  respond b\n}\nhttp://a.test {\n  invoke one\n}\n", line: 4),
    Broken(text: "http://a.test {\n  redir /web/\n  reverse_proxy app:1\n}\n", line: 2),
    Broken(text: "http://a.test {\n  uri /api/*\n  reverse_proxy app:1\n}\n", line: 2),
    Broken(text: "http://a.test {\n  handle_path api/* {\n    reverse_proxy app:1\n  }\n}\n", line: 2),
    Broken(text: "ftp://a.test {\n  reverse_proxy app:1\n}\n", line: 1),
    Broken(text: "http://a.test {\n  respond <<A!\n    b\n    A!\n}\n", line: 2),
    Broken(text: "http://a.test {\n  respond <<A\n  b\n    A\n}\n", line: 3),
    Broken(
      text: "http://a.test {\n  forward_auth auth:1 {\n    uri /a\n    uri /b\n  }\n  reverse_proxy app:1\n}\n", line: 4
    ),
    Broken(
      text:
        "http://a.test {\n  reverse_proxy app:1 {\n    handle_response header X {\n      respond a\n    }\n  }\n}\n",
      line: 3),
    Broken(
      text: "http://a.test {\n  intercept {\n    handle_response header X {\n      respond a\n    }\n  }\n}\n", line: 3),
    Broken(text: "{\n  servers {\n    listn :80\n  }\n}\nhttp://a.test {\n  reverse_proxy app:1\n}\n", line: 3),
    Broken(text: "http://a.test {\n  @x query v\n  reverse_proxy @x app:1\n}\n", line: 2),
    Broken(text: "http://a.test {\n  @x header X-A\n  reverse_proxy @x app:1\n}\n", line: 2),
    Broken(
      text: "http://a.test {\n  @x {\n    path_regexp a\n    path_regexp b\n  }\n  reverse_proxy @x app:1\n}\n", line: 4
    ),
    Broken(
      text:
        "(app) {\n  reverse_proxy app:1 {\n    {block}\n  }\n}\nhttp://a.test {\n  import app {\n    nonsense_here\n  }\n}\n",
      line: 8),
    Broken(text: "http://a.test {\n  reverse_prox app:3000\n}\n", line: 2, near: "reverse_proxy"),
    Broken(text: "http://a.test {\n  reverse_proxy app:3000 {\n    helth_uri /\n  }\n}\n", line: 3, near: "health_uri"),
    Broken(text: "http://a.test {\n  reverse_proxy @api app:3000\n}\n", line: 2),
    Broken(text: "http://a.test {\n  handle {\n    reverse_proxy app:3000\n", line: 3),
    Broken(text: "http://a.test {\n  reverse_proxy app:3000\n}\n}\n", line: 4),
    Broken(text: "http://a.test{\n  reverse_proxy app:3000\n}\n", line: 1),
    Broken(text: "http://a.test {\n  reverse_proxy http://app:3000/path\n}\n", line: 2),
    Broken(text: "http://a.test {\n  reverse_proxy http://app:1 https://app:2\n}\n", line: 2),
    Broken(text: "http://a.test {\n  import missing\n}\n", line: 2),
    Broken(text: "http://a.test {\n  proxy / app:3000\n}\n", line: 2),
    Broken(text: "http://a.test {\n  root * /srv /www\n  file_server\n}\n", line: 2),
    Broken(text: "a.test\nrespond one\n\nb.test\nrespond two\n", line: 4),
    Broken(text: "{\n  acme_dns\n}\na.test {\n  respond one\n}\n", line: 2),
    Broken(text: "a.test {\n  tls {\n    propagation_delay 30s\n  }\n  respond one\n}\n", line: 3),
    Broken(
      text: "(a) {\n  import b\n}\n(b) {\n  import a\n  import a\n}\nhttp://a.test {\n  import a\n}\n", line: 5),
    Broken(text: "http://a.test {\n  respond \"hello\n}\n", line: 2),
    Broken(text: "reverse_proxy app:3000\n", line: 1),
    Broken(text: "http://a.test {\n  @x paht /a\n  reverse_proxy @x app:3000\n}\n", line: 2, near: "path"),
    Broken(
      text: "http://a.test {\n  reverse_proxy app:1 {\n    transport http {\n      dail_timeout 1s\n    }\n  }\n}\n",
      line: 4,
      near: "dial_timeout"),
  ]
}
