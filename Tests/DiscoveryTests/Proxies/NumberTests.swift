import Checks
import Model
import Testing
import World

@testable import Discovery
import Routes

private let extremes = [
  "-1", "65536", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e400", "nan",
]

/// The text with each of its numbers replaced in turn by each extreme, which keeps the number's unit or gets another.
private func variants(_ text: String, units: [String]) -> [String] {
  let bytes = Array(text.utf8)
  var variants: [String] = []
  var start = 0
  let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  while let first = bytes[start...].firstIndex(where: isDigit) {
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
    start = end
    let head = String(decoding: bytes[..<first], as: UTF8.self)
    let tail = String(decoding: bytes[end...], as: UTF8.self)
    variants += extremes.map { head + $0 + tail }
    guard !units.isEmpty else { continue }
    let bare = tail.drop(while: \.isLetter)
    variants += units.map { head + "99999999999999999999" + $0 + bare }
  }
  return variants
}

/// A trap ends the process of the tests, so that each of these fails by not coming to its end.
@Suite struct NumberTests {
  @Test(arguments: wholes)
  func noNumberOfAConfigurationTraps(_ whole: Whole) async throws {
    #expect(try await whole.read(whole.text)?.route != nil)
    let variants = variants(whole.text, units: whole.units)
    #expect(variants.count > 50)
    await withTaskGroup { group in
      for part in 0..<2 {
        group.addTask {
          for index in stride(from: part, to: variants.count, by: 2) { _ = try? await whole.read(variants[index]) }
        }
      }
    }
  }

  /// A time that is too large for any clock is very long, and what is no number is not known
  @Test func aTimeThatIsTooLargeForAnyClockIsVeryLong() {
    #expect(1e30.inWords == "9223372036854775807")
    #expect(Double.infinity.inWords == "9223372036854775807")
    #expect((-Double.infinity).inWords == "-9223372036854775808")
    #expect(Double.nan.inWords == "")
    #expect([0.02, 1.5, 60].map(\.inWords) == ["0.02", "1.5", "60"])
    #expect(Int(clamping: 1.9) == 1 && Int(clamping: -1.9) == -1 && Int(clamping: .nan) == 0)
    #expect(
      Int.max.clampedProduct(2) == .max && Int.min.clampedProduct(2) == .min && Int.min.clampedProduct(-1) == .max)
    #expect(3.clampedProduct(-7) == -21)
    let facts: Facts = [.routeReadTimeout: "nan", .routeConnectTimeout: "inf", .siteSeconds: "60"]
    #expect(facts.seconds(.routeReadTimeout) == nil && facts.seconds(.routeConnectTimeout) == nil)
    #expect(facts.seconds(.siteSeconds) == 60)
  }

  @Test func noNumberOfAContainerTraps() async throws {
    let text = """
      {"Id": "a", "Name": "/shop", "RestartCount": 3, "Path": "x", "HostConfig": {"Memory": 536870912,
      "PortBindings": {"3000/tcp": [{"HostIp": "", "HostPort": "80"}]}}, "State": {"Status": "running", "Pid": 42,
      "ExitCode": 137, "StartedAt": "2026-11-21T12:21:37.734612287Z", "Health": {"Log": [{"ExitCode": 1, "Output": "x"}]}}}
      """
    let check = try #require(Check.named("container.state"))
    let facts: Facts = ["upstream.id": "a", "upstream.container": "shop", "upstream.place": "container"]
    for variant in [text] + variants(text, units: []) {
      var world = MemoryWorld()
      world.engine["/containers/a/json"] = variant
      let finding = await check.finding(in: world, facts: facts, signs: Signs())
      #expect(finding.outcome != Finding.unknown || variant != text)
      if variant.contains(#""Memory": 9223372036854775807"#) {
        #expect(finding.facts["container.more-memory"] != nil)
      }
    }
  }

  @Test func onePortThatIsNoneHidesNoContainer() async throws {
    var world = MemoryWorld()
    world.engine["/containers/json?all=1"] = """
      [{"Id": "a", "Names": ["/odd"], "State": "running", "Ports": [{"PrivatePort": 99999, "PublicPort": 80}]},
      {"Id": "b", "Names": ["/shop"], "State": 7, "Ports": [{"PrivatePort": 3000}], "Labels": []}]
      """
    let containers = try await world.containers()
    #expect(containers.map(\.name) == ["odd", "shop"])
    #expect(containers[0].Ports?.first?.PrivatePort == nil)
    #expect(containers[0].Ports?.first?.PublicPort == 80)
    #expect(containers[1].Ports?.first?.PrivatePort == 3000)
  }
}
