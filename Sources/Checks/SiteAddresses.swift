import Discovery
import Model
import Routes
import World

extension FactName {
  static let familiesBad: FactName = "families.bad"
  static let familiesGood: FactName = "families.good"
  static let hostsFile: FactName = "hosts-line.file"
  static let hostsNumber: FactName = "hosts-line.number"
  static let hostsText: FactName = "hosts-line.text"
}

private enum AddressesOutcome: String, CheckOutcome {
  /// All of one kind: nothing to compare.
  case single
  /// IPv4 and IPv6 do equally well.
  case same
  /// One kind goes well, the other does not.
  case differ
  case unknown
}

extension Check {
  /// Compares what the site answers at its IPv4 and at its IPv6 address, and looks for its name in the hosts file.
  static let siteAddresses = Check(
    "site.addresses", needs: [.url, .siteHost, .sitePort],
    learns: [.familiesBad, .familiesGood, .hostsFile, .hostsNumber, .hostsText], outcome: AddressesOutcome.self
  ) { world, given, _ throws(Unseen) in
    let (url, host, port) = (try given.url, try given.siteHost, try given.sitePort)
    guard !host.isAddress, !host.hasPrefix("[") else { return (.single, [:]) }
    let addresses = try await world.see(SystemLookup(name: host)).filter { !$0.isLoopback }
    var learned = (try? await world.hostsLine(of: host, at: addresses)) ?? [:]
    guard let four = addresses.first(where: { !$0.contains(":") }),
      let six = addresses.first(where: { $0.contains(":") }),
      // Without an IPv6 address of its own that leads outside, this machine cannot tell.
      try await world.see(OwnAddresses()).contains(where: { $0.contains(":") && !$0.isPrivateAddress })
        || six.isPrivateAddress
    else { return (.single, learned) }
    func request(_ address: String) -> HTTPRequest {
      HTTPRequest(url: url, address: address, port: port, limit: 6)
    }
    async let answers = (try? world.see(request(four)), try? world.see(request(six)))
    guard case (let first?, let second?) = await answers else { return (.unknown, learned) }
    guard first.isWell != second.isWell else { return (.same, learned) }
    (learned[.familiesGood], learned[.familiesBad]) = first.isWell ? (four, six) : (six, four)
    return (.differ, learned)
  }
}

extension World {
  /// The line of the hosts file that leads a name to one of these addresses.
  fileprivate func hostsLine(of host: String, at addresses: [String]) async throws(Unseen) -> Facts {
    let path = "/etc/hosts"
    let text = try await see(FileRead(path: path)).text
    // `patch` finds no line of a file with other line ends.
    guard !text.utf8.contains(UInt8(ascii: "\r")) else { return [:] }
    for (index, line) in text.lines.enumerated() {
      let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
      guard let address = words.first, addresses.contains(address),
        words.dropFirst().contains(where: { $0.lowercased() == host })
      else { continue }
      return [.hostsFile: path, .hostsNumber: String(index + 1), .hostsText: String(line)]
    }
    return [:]
  }
}
