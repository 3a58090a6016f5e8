import Testing

@testable import Discovery

@Test(arguments: [
  (["nginx: master process nginx -p /srv -c conf/n.conf"], "nginx", "conf/n.conf", "/srv"),
  (["/usr/sbin/nginx", "-g", "daemon off;"], "/usr/sbin/nginx", nil, nil), ([], "nginx", nil, nil),
  (
    ["sh", "-c", "envsubst < /a.template > /b.conf && exec nginx -c /c.conf -g 'daemon off;'"], "nginx", "/c.conf", nil
  ),
  (["sh", "-c", "cp -c /opt/nginx /x"], "sh", nil, nil),
  (["/usr/bin/nginx", "-p", "/opt/nginx"], "/usr/bin/nginx", nil, "/opt/nginx"),
])
func nginxsCommandLine(command: [String], program: String, configuration: String?, prefix: String?) {
  let line = NginxReading.CommandLine(command)
  #expect(line.program == program)
  #expect(line.configuration == configuration)
  #expect(line.prefix == prefix)
}

/// Relative paths of directives are below the prefix; without one on the command line only nginx knows it
@Test(
  arguments: [
    ("-p /srv/", "logs/error.log", "/srv/logs/error.log"), ("-p /srv", "/var/log/e.log", "/var/log/e.log"),
    ("", "logs/error.log", nil), ("-p /srv", "stderr", nil), ("-p /srv", "syslog:server=unix:/dev/log", nil),
  ] as [(String, String, String?)])
func aPathBelowNginxsPrefix(options: String, path: String, absolute: String?) {
  #expect(NginxReading.CommandLine(["nginx: master process nginx \(options)"]).absolute(path) == absolute)
}
