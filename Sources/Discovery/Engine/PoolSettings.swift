public import Model
import Routes
public import World

extension FactName {
  public static let poolClients: FactName = "pool.clients"
  public static let poolTimeout: FactName = "pool.timeout"

  /// Settings of a PHP-FPM pool by which it gives connections or requests up, each with its line.
  public static let ofPool: [FactName] = [poolClients, poolTimeout] + ofLine(.poolClients) + ofLine(.poolTimeout)
}

extension World {
  /// By which settings the PHP-FPM of a container gives up connections (`listen.allowed_clients`) and requests
  /// (`request_terminate_timeout`), as far as its pools' files can be seen; with the lines of those that are files of this
  /// machine.
  ///
  /// Source: PHP manual, "FastCGI Process Manager: Configuration"; the folders of the official image, Debian and Alpine.
  public func poolSettings(of container: Container) async -> Facts {
    guard let pid = container.pid else { return [:] }
    var facts: Facts = [:]
    for pattern in [
      "/usr/local/etc/php-fpm.d/*.conf", "/etc/php/*/fpm/pool.d/*.conf", "/etc/php*/php-fpm.d/*.conf",
    ] {
      for path in ((try? await see(FileGlob(pattern: pattern, place: .process(pid)))) ?? []).prefix(16) {
        guard let text = try? await see(FileRead(path: path, place: .process(pid), limit: 1 << 16)).text else {
          continue
        }
        for (number, line) in text.lines.enumerated() {
          guard let equals = line.firstIndex(of: "="), line.utf8.count <= Limits.pastedLine else { continue }
          let value = String(line[line.index(after: equals)...]).trimmed
          guard !value.isEmpty, value.first != "0" || value.count > 2 else { continue }
          let setting: FactName.Line
          switch String(line[..<equals]).trimmed {
          case "listen.allowed_clients":
            facts[.poolClients] = value.printable
            setting = .poolClients
          case "request_terminate_timeout":
            facts[.poolTimeout] = value.printable
            setting = .poolTimeout
          default: continue
          }
          guard let outside = container.hostPath(of: path), let found = line.ranges(of: value).last else { continue }
          let span = Span(
            file: outside, line: number + 1, text: String(line), head: String(line[..<found.lowerBound]),
            tail: String(line[found.upperBound...]))
          facts.set(Edit(onThisMachine: span), setting)
        }
      }
    }
    return facts
  }
}
