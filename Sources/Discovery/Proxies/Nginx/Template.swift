import Model
import Routes

extension FactName {
  static let nginxSlip: FactName = "nginx.slip"
  static let nginxTemplate: FactName = "nginx.template"
  static let nginxTemplateVariables: FactName = "nginx.template-variables"
}

extension NginxReading {
  /// The template of which the container's command makes nginx's files by `envsubst` without a list of names, which takes
  /// out every variable, nginx's own too; and that list.
  ///
  /// Source: envsubst(1) of GNU gettext.
  static func emptied(_ mistake: Nginx.Problem, _ proxy: RunningProxy) async -> Facts {
    guard mistake.message.hasPrefix("invalid number of arguments"), let container = proxy.container else { return [:] }
    let line = ([container.Path].compactMap { $0 } + (container.Args ?? [])).joined(separator: " ")
    guard let call = line.firstRange(of: "envsubst < ") else { return [:] }
    let path = String(line[call.upperBound...].prefix { !" ;&|>\"'".contains($0) })
    guard path.hasPrefix("/"), let template = try? await proxy.files.read(path) else { return [:] }
    let own = (container.Config?.Env ?? []).map { String($0.prefix { $0 != "=" }) }
    let wanted = own.filter { template.contains("${\($0)}") || template.contains("$\($0)") }
    return [
      .nginxTemplate: path,
      .nginxTemplateVariables: wanted.map { "$" + $0 }.joined(separator: " "),
    ]
  }
}
