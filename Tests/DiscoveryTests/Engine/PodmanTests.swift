import Checks
import Discovery
import Fixture
import Foundation
import Model
import Testing
import World

/// What Podman's own service answered; `Podman/README.md` says where that was recorded.
@Suite struct PodmanTests {
  private func recorded(_ name: String) throws -> String {
    try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Podman/\(name).json"),
      encoding: .utf8)
  }

  private func world(now: Double = 0) throws -> Sandbox {
    let container = try recorded("container")
    return Sandbox(now: now).docker("/containers/json?all=1", try recorded("containers"))
      .docker("/containers/\(stopped)/json", container).docker("/networks", try recorded("networks"))
  }

  private let stopped = "0fb09edd36967a79ade89bec13bf2546af723b938bdbe4c39e8685445db114d0"

  @Test func theListNamesStatesPortsAndNetworksThatGoByTheirNames() async throws {
    let containers = try await world().containers()
    #expect(containers.map(\.name) == ["rec-shop", "rec-edge"])
    #expect(containers.map(\.isRunning) == [false, true])
    #expect(containers[1].image == "wizlab/nginx")
    #expect(containers[1].Ports?.first?.PublicPort == 28080)
    #expect(containers[1].addresses == ["10.89.0.3"])
    #expect(containers.map { $0.networks.keys.sorted() } == [["rec-web"], ["rec-web"]])
    #expect(containers.allSatisfy { $0.networks["rec-web"]?.NetworkID == "rec-web" })
  }

  @Test func aStoppedContainerNoProcessItsExitCodeItsCommand() async throws {
    let container = try await world().container(stopped)
    #expect(container.name == "rec-shop")
    #expect(container.pid == nil)
    #expect(container.State?.ExitCode == 137)
    #expect(
      [container.Path].compactMap { $0 } + (container.Args ?? []) == [
        "python3", "/srv/server.py", "--name", "shop", "--port", "3000",
      ])
    #expect(try #require(container.finished) > 1_795_578_338)
  }

  @Test func itsStateIsAnOutcomeStoppedWithTheCode() async throws {
    let world = try world(now: 1_795_578_400)
    let check = try #require(Check.named("container.state"))
    let found = await check.finding(in: world, facts: ["upstream.id": stopped], signs: Signs())
    #expect(found.outcome == "stopped")
    #expect(found.facts["container.exit-code"] == "137")
  }

  /// Networks: the subnet and this machine's address in it; the default one is called bridge there
  @Test func networksTheSubnetAndThisMachinesAddressInIt() async throws {
    let networks = try await world().networks()
    let web = try #require(networks.first { $0.Name == "rec-web" })
    #expect(web.subnets == ["10.89.0.0/24"])
    #expect(web.gateways == ["10.89.0.1"])
    #expect(networks.contains { $0.Name == "bridge" })
  }
}
