import Discovery
import Model
import World

extension FactName {
  static let intendedURL: FactName = "intended.url"
  static let intendedServed: FactName = "intended.served"
}

private enum IntendedOutcome: String, CheckOutcome {
  /// At the same port the other of http and https answers.
  case otherScheme = "other-scheme"
  /// A proxy here serves that name at another port.
  case otherPort = "other-port"
  /// A proxy here serves a name that differs in a letter or two.
  case nearName = "near-name"
  case none, unknown
}

extension Check {
  /// Looks for the address that was probably meant, where nobody serves the one that was asked.
  ///
  /// At ports 80 and 443 a scheme or a port that is not served is a fault of the server, not of who asks.
  static let siteIntended = Check(
    "site.intended", needs: [.siteAsked, .url, .siteHost, .sitePort, .sitePath],
    learns: [.intendedURL, .intendedServed],
    outcome: IntendedOutcome.self
  ) { world, given, signs throws(Unseen) in
    // Any other answer is that of a site that is served.
    guard given[.siteAskedAt] != nil || ["400", "404", nil].contains(given[.siteStatus]) else { return (.none, [:]) }
    let (site, host, port, path) = (try given.site, try given.siteHost, try given.sitePort, try given.sitePath)
    let addresses = (try? await world.see(SystemLookup(name: host))) ?? []
    let isUsual = port == 80 || port == 443
    if !isUsual {
      let url = "\(site.scheme == "https" ? "http" : "https")://\(site.authority)\(path)"
      let other = HTTPRequest(url: url, address: addresses.first ?? "127.0.0.1", port: port, limit: 3)
      // A proxy may speak TLS at any port, and answer there that it has no such site.
      if let answer = try? await world.see(other), answer.failure == nil, let status = answer.status,
        status != 400, status != 404
      {
        return (.otherScheme, [.intendedURL: url])
      }
    }
    let (listed, unseen) = try await RouteReading.sites(in: world, signs)
    if !isUsual, let same = listed.first(where: { $0.site.host == host && $0.site.port != port }) {
      return (.otherPort, [.intendedURL: same.site.url])
    }
    if addresses.isEmpty, let near = host.nearest(among: Set(listed.map(\.site.host)).sorted(), within: 2),
      let meant = listed.first(where: { $0.site.host == near })
    {
      return (.nearName, [.intendedURL: meant.site.url])
    }
    if let unseen = unseen.first { throw unseen }
    guard await world.leadsHere(host) || addresses.isEmpty, !listed.isEmpty else { return (.none, [:]) }
    let (urls, most) = (listed.map(\.site.url), 8)
    return (.none, [.intendedServed: (urls.prefix(most) + (urls.count > most ? ["…"] : [])).joined(separator: ", ")])
  }
}
