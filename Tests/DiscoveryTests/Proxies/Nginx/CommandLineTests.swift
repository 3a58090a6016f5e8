import Testing

@testable import Discovery

@Test(arguments: [
  (["nginx: master process nginx -p /srv -c conf/n.conf"], "nginx", "conf/n.conf", "/srv"),
  (["/usr/sbin/nginx", "-g", "daemon off;"], "/usr/sbin/nginx", nil, nil), ([], "nginx", nil, nil),
])
func nginxsCommandLine(command: [String], program: String, configuration: String?, prefix: String?) {
  let line = NginxReading.CommandLine(command)
  #expect(line.program == program)
  #expect(line.configuration == configuration)
  #expect(line.prefix == prefix)
}
