import Discovery
import Model
import Routes
import World

extension FactName {
  static let familyDialled: FactName = "family.dialled"
  static let familyListens: FactName = "family.listens"
  static let familyAddress: FactName = "family.address"
}

extension Facts {
  /// The kind of address that the proxy dials, and the other one, at which the app listens.
  static func families(dialledIsIPv6 isIPv6: Bool) -> Facts {
    [.familyDialled: isIPv6 ? "IPv6" : "IPv4", .familyListens: isIPv6 ? "IPv4" : "IPv6"]
  }
}

private enum FamilyOutcome: String, CheckOutcome {
  /// An address of the other family takes connections at the same port.
  case other
  case none, unknown
}

extension Check {
  /// Where the dialled address refuses: tries those of the other family that the proxy itself never tries.
  ///
  /// They are the name's other addresses, the upstream's own ones, and of loopback the other one.
  static let addressFamily = Check(
    "address.family", needs: [.nameAddress, .upstreamPort, .proxyPlace, .upstreamPlace],
    learns: [.familyDialled, .familyListens, .familyAddress], outcome: FamilyOutcome.self, limit: 5
  ) { world, given, _ throws(Unseen) in
    let (place, dialled, port) = (try given.dialsFrom, try given.address, try given.upstreamPort)
    let loopback = dialled.isLoopback ? [dialled.isIPv6 ? "127.0.0.1" : "::1"] : []
    let tried = given.list(.nameAddresses)
    let others = (loopback + given.list(.nameOthers) + given.list(.upstreamAddresses)).filter {
      $0.isIPv6 != dialled.isIPv6 && !tried.contains($0)
    }
    // Only a connection that fails tells of families; a name's answer alone does not.
    let first = try await world.see(TCPConnect(address: dialled, port: port, place: place, limit: 2))
    guard first.outcome == .refused || first.outcome == .unreachable else { return (.none, [:]) }
    for address in others.prefix(4) {
      let sight = try await world.see(TCPConnect(address: address, port: port, place: place, limit: 1))
      guard sight.outcome == .accepted else { continue }
      return (.other, Facts.families(dialledIsIPv6: dialled.isIPv6).merging([.familyAddress: address]))
    }
    return (.none, [:])
  }
}
