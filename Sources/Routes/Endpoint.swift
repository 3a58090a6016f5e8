/// Where a proxy dials.
public enum Endpoint: Sendable, Hashable {
  /// A name, or an address without brackets.
  case network(host: String, port: UInt16)
  /// The path of a Unix socket, as the proxy sees it.
  case socket(String)

  /// `shop:3000`, `[fd00::5]:3000`, `unix:/run/shop.sock`
  public var text: String {
    switch self {
    case .network(let host, let port): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    case .socket(let path): "unix:\(path)"
    }
  }
}

/// One server of a route's group.
public struct Server: Sendable, Equatable {
  /// Whether it gets requests.
  public enum Duty: Sendable, Equatable {
    case used
    /// Only when no other one can be reached.
    case backup
    /// Switched off by the configuration.
    case out
  }

  public let endpoint: Endpoint
  public let duty: Duty

  public init(_ endpoint: Endpoint, _ duty: Duty) { (self.endpoint, self.duty) = (endpoint, duty) }
}

extension Collection {
  /// The server to examine: the wanted one (as `Endpoint.text` has it), else the first that is used, else a backup,
  /// else the first.
  public func chosen(_ wanted: String?, by server: (Element) -> Server?) -> Element? {
    func on(_ duty: Server.Duty) -> Element? { self.first(where: { server($0)?.duty == duty }) }
    let named = wanted.flatMap { wanted in self.first(where: { server($0)?.endpoint.text == wanted }) }
    return named ?? on(.used) ?? on(.backup) ?? first
  }
}
