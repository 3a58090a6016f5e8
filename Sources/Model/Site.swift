/// A site as it was typed: `shop.example.org`, `https://shop.example.org:8443/path`.
public struct Site: Sendable, Equatable {
  public let scheme: String
  /// In lower case; an IPv6 address in brackets.
  public let host: String
  public let port: UInt16
  /// With its query; at least `/`.
  public let path: String

  /// As long as the request line that most servers take (nginx, httpd): a way back from a sign-in has some kilobytes.
  private static let longest = 8000

  /// Nil for what is no HTTP address. Without a scheme `https` is taken for port 443, else `http`.
  public init?(_ typed: String, defaultScheme: String = "http") {
    guard typed.utf8.count <= Self.longest, typed.unicodeScalars.allSatisfy({ $0.isASCII && !$0.isUnsafe && $0 != " " })
    else {
      return nil
    }
    var rest = Substring(typed)
    var scheme: String?
    if let mark = rest.range(of: "://") {
      scheme = rest[..<mark.lowerBound].lowercased()
      rest = rest[mark.upperBound...]
      guard scheme == "http" || scheme == "https" else { return nil }
    }
    let authority = rest.prefix { !"/?#".contains($0) }
    let tail = rest[authority.endIndex...].prefix { $0 != "#" }
    guard let colon = authority.lastIndex(of: ":"), authority[colon...].contains("]") == false else {
      guard Self.isHost(authority) else { return nil }
      self.init(scheme: scheme ?? defaultScheme, host: authority.lowercased(), port: nil, path: String(tail))
      return
    }
    guard Self.isHost(authority[..<colon]), let port = UInt16(authority[authority.index(after: colon)...]), port > 0
    else { return nil }
    self.init(
      scheme: scheme ?? (port == 443 ? "https" : "http"), host: authority[..<colon].lowercased(), port: port,
      path: String(tail))
  }

  private init(scheme: String, host: String, port: UInt16?, path: String) {
    self.scheme = scheme
    self.host = host
    self.port = port ?? (scheme == "https" ? 443 : 80)
    self.path = (path.hasPrefix("/") ? path : "/" + path).unicodeScalars.map { scalar in
      Self.notInAddress.contains(scalar) ? "%" + String(scalar.value, radix: 16, uppercase: true) : String(scalar)
    }.joined()
  }

  /// What no address has but by its number; of brackets and braces curl would make many addresses.
  private static let notInAddress = Set("\"<>[\\]^`{|}".unicodeScalars)

  /// The same at another port.
  public func at(port: UInt16) -> Site? {
    Site("\(scheme)://\(host):\(port)\(path)")
  }

  /// Where a `Location` leads; nil if it leads to another host, or nowhere.
  public func redirected(to location: String) -> Site? {
    let target = target(of: location)
    if location.isPath { return target }
    return target.flatMap { $0.host == host && $0 != self ? $0 : nil }
  }

  /// True if a `Location` leads to this very address.
  public func leadsBack(by location: String) -> Bool { target(of: location) == self }

  private func target(of location: String) -> Site? {
    if location.isPath { return Site("\(scheme)://\(authority)\(location)") }
    return Site(location.hasPrefix("//") ? "\(scheme):\(location)" : location)
  }

  public var url: String { "\(scheme)://\(authority)\(path)" }

  public var authority: String { port == (scheme == "https" ? 443 : 80) ? host : "\(host):\(port)" }

  /// What is known at the start of a case.
  public var facts: Facts {
    [
      .url: url, .siteScheme: scheme, .siteHost: host, .sitePort: String(port), .sitePath: path,
      .engineCommand: "docker",
    ]
  }

  /// Letters, digits, dots, hyphens and underscores, or an address in brackets.
  private static func isHost(_ text: Substring) -> Bool {
    if text.hasPrefix("["), text.hasSuffix("]") {
      return text.count > 3 && text.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
    // A number alone is an address to the system, and no site to anybody.
    return text.contains { !$0.isNumber } && text.utf8.count <= 253 && text.first != "-" && text.first != "."
      && text.allSatisfy { $0.isLetter || $0.isNumber || "._-".contains($0) } && !text.contains("..")
  }
}

extension Substring {
  /// The first place of a text in this one.
  fileprivate func range(of text: String) -> Range<Index>? {
    indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
  }
}

extension String {
  /// Whether a `Location` is a path of the same host.
  fileprivate var isPath: Bool { hasPrefix("/") && !hasPrefix("//") }
}
