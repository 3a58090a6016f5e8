import Checks
import Flow
import Model
import Screen

/// The guided session: each byte, with those behind it, is an event; every screen is drawn.
struct ScreenDriver: Driver {
  let name = "screen"

  func seeds(_ repository: Repository) -> [[UInt8]] {
    // Read once, which is no part of any run.
    _ = DiagnosisDriver.catalog
    var random = Random(502)
    let scripts = (0..<64).map { _ in (0..<400).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
    // Events first, then words for addresses, lines and facts.
    return repository.kept(name)
      + scripts.map { $0 + Array("shop.example.org:8080/a\u{301}👩‍👩‍👧 [::1] 99999999999999999999".utf8) }
      + repository.literals("Tests/ScreenTests/ScreenTests.swift")
  }

  private static let keys: [Key] = [
    .enter, .enter, .enter, .escape, .tab, .backTab, .backspace, .delete, .up, .down, .down, .left, .right, .pageUp,
    .pageDown, .home,
    .end, .other, .function(1), .control("c"), .control("u"), .control("z"), .control("l"), .character("?"),
    .character("w"),
    .character("l"), .character("s"), .character("c"), .character("q"), .character("r"), .character("b"),
    .character("1"),
  ]

  func run(_ input: [UInt8]) async {
    var script = Script(rest: input[...], all: String(decoding: input, as: UTF8.self))
    let shapes = Check.all.map(\.shape)
    var state = State(
      catalog: DiagnosisDriver.catalog, shapes: shapes, notices: [script.text()], isASCII: script.number(2) == 0,
      site: { Site($0).map { $0.facts.merging([.limitSeconds: "90"]) } })
    var running: [(check: String, round: Int)] = []
    take(state.begin(url: script.number(3) == 0 ? "shop.example.org" : nil), &running)
    var left = 80
    while !script.rest.isEmpty, left > 0 {
      left -= 1
      let effects = state.handle(event(&script, &running, shapes))
      take(effects, &running)
      if effects.contains(where: { if case .quit = $0 { true } else { false } }) { return }
      let grid = state.view()
      for row in 0..<grid.size.rows { _ = grid.text(row: row) }
    }
  }

  private func take(_ effects: [Effect], _ running: inout [(check: String, round: Int)]) {
    for effect in effects {
      switch effect {
      case .order(.start(let checks, _, let round)): running += checks.map { ($0, round) }
      case .order(.cancel(let check)): running.removeAll { $0.check == check }
      case .order(.cancelAll): running = []
      default: break
      }
    }
  }

  private func event(_ script: inout Script, _ running: inout [(check: String, round: Int)], _ shapes: [CheckShape])
    -> Event
  {
    switch script.number(16) {
    case 0...4: return .key(Self.keys[script.number(Self.keys.count)])
    case 5: return .key(.character(script.text().first ?? "a"))
    case 6: return .key(.paste(script.text()))
    case 7...11 where !running.isEmpty:
      let (check, round) = running.remove(at: script.number(running.count))
      guard let shape = shapes.first(where: { $0.id == check }) else { return .tick }
      var facts = Facts()
      for fact in shape.learns where script.number(3) != 0 { facts[fact] = script.text() }
      return .found(
        Finding(
          check: check, outcome: shape.outcomes[script.number(shape.outcomes.count)], facts: facts,
          unseen: script.number(4) == 0 ? .unreadable(what: script.text(), why: .said(script.text())) : nil),
        round: round)
    case 12:
      return .route(
        RouteLine(
          url: "http://\(script.text())/", proxy: script.text(), upstream: script.text(),
          status: script.number(2) == 0 ? script.text() : nil, mark: nil))
    case 13: return .routesEnded
    case 14:
      return .resized(Size(columns: script.number(256) * (script.number(9) == 0 ? 3 : 1), rows: script.number(120)))
    case 15: return .saved(script.number(2) == 0 ? script.text() : nil)
    default: return .tick
    }
  }

  /// Bytes taken as numbers and pieces of the input's own text.
  private struct Script {
    var rest: ArraySlice<UInt8>
    let all: String

    mutating func number(_ end: Int) -> Int { Int(rest.popFirst() ?? 0) % end }

    mutating func text() -> String {
      switch number(4) {
      case 0: return ["nginx", "3000", "60", "http://shop:3000", "-1", "9223372036854775807", "on", "1e30"][number(8)]
      default: return String(all.dropFirst(number(256) * 2).prefix(number(40)))
      }
    }
  }
}
