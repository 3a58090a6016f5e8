import Fixture
import Testing

@testable import Pattern

struct PatternTests {
  @Test func namedGroupsHoldWhatMatched() throws {
    let pattern = try Pattern(#"connect\(\) failed \((?<code>\d+): (?<reason>[^)]+)\)(?<rest> while)?"#)
    let match = try #require(pattern.firstMatch(in: "x connect() failed (111: Connection refused)."))
    #expect(match.whole == "connect() failed (111: Connection refused)")
    #expect(match.groups == [match.whole, "111", "Connection refused", nil])
    #expect(match.text(of: "reason") == "Connection refused")
    #expect(match.text(of: "rest") == nil)
    #expect(match.text(of: "nowhere") == nil)
  }

  @Test func caseIsIgnoredOnlyIfAsked() throws {
    #expect(try !Pattern("straße").matches("STRAßE"))
    #expect(try Pattern("straße", ignoringCase: true).matches("STRAßE"))
  }

  @Test func aMistakeIsNamedWithItsOffset() {
    #expect(throws: Pattern.Failure(message: "missing closing parenthesis", offset: 5)) { try Pattern("a(b|c") }
    #expect(throws: Pattern.Failure.self) { try Pattern(#"\C"#) }
  }

  @Test func bytesThatAreNotTextMatchNothingAndStopNothing() throws {
    let bytes: [UInt8] = [0xFF, 0xC3] + Array("refused".utf8) + [0xE2, 0x82]
    let match = try #require(try Pattern("refus(ed)").firstMatch(in: bytes))
    #expect(match.groups == ["refused", "ed"])
    #expect(try !Pattern("refused.").matches(bytes))
    #expect(try Pattern("^$").matches([UInt8]()))
  }

  @Test(arguments: ["(a+)+$", "(a|aa)+$", "(.*)*x", "a*a*a*a*b"])
  func aHostileTextEndsSoon(regex: String) throws {
    let pattern = try Pattern(regex)
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20) + [UInt8(ascii: "!")]
    let taken = processorTime { _ = pattern.firstMatch(in: text) }
    #expect(taken < .seconds(5))
  }

  @Test func onlyTheFirstBytesAreLookedAt() throws {
    let pattern = try Pattern("end$")
    let padding = String(repeating: " ", count: Pattern.reach - 3)
    #expect(pattern.matches(padding + "end"))
    #expect(!pattern.matches(padding + " end"))
  }

  @Test func manyTasksMayUseOnePattern() async throws {
    let pattern = try Pattern(#"(?<number>\d+)"#)
    let numbers = await withTaskGroup { group in
      for number in 0..<200 {
        group.addTask { pattern.firstMatch(in: "n \(number) n")?.text(of: "number") }
      }
      return await group.reduce(into: Set<String?>()) { $0.insert($1) }
    }
    #expect(numbers == Set((0..<200).map { String($0) }))
  }
}
