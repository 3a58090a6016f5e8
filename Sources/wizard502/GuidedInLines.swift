import Flow
import Glibc
import Screen
import Terminal

/// A guided session in lines, on standard input and output.
///
/// - Parameters:
///   - reason: Why it is in lines, in words.
///   - isRestricted: The terminal's key for that does not stop the program.
@MainActor
func guidedInLines(
  _ state: State, url: String?, guide: Guide, because reason: String, isRestricted: Bool = false
) async throws -> End {
  let (arrivals, sink) = AsyncStream.makeStream(of: LineArrival.self)
  let input = try LineInput(keepsStop: !isRestricted) { sink.yield(.input($0)) }
  let outside = Outside(guide) { sink.yield(.event($0)) }
  defer { outside.end() }
  var lines = Lines(state, width: LineInput.width)
  var turn = lines.begin(url: url, because: reason)
  // Whoever types is heard at any time; what is in a pipe stays there until it is asked for.
  var isReading = false
  var iterator = arrivals.makeAsyncIterator()
  while true {
    if let end = carryOut(turn, &lines, outside, guide, echoes: !input.isLive) { return end }
    if !isReading, input.isLive || lines.isAsking {
      input.want()
      isReading = true
    }
    outside.countSeconds(lines.isWaiting)
    switch await iterator.next() {
    case .event(let event): turn = lines.handle(event)
    case .input(.line(let line, let isCut)):
      isReading = false
      turn = lines.enter(line, isCut: isCut)
    case .input(.lines(let all)):
      isReading = false
      turn = lines.enter(all: all)
    case .input(.ended): turn = lines.inputEnded()
    case .input(.signal(SIGINT)): turn = lines.interrupted()
    case .input(.signal(let signal)): return (128 + signal, "")
    case nil: return (0, "")
    }
  }
}

private enum LineArrival: Sendable {
  case event(Event)
  case input(LineInput.Message)
}

/// Says what is to be said, and does the rest. The end, if that is what it is.
///
/// - Parameter echoes: What was read is said, too, since no terminal has shown it.
@MainActor
private func carryOut(
  _ turn: Lines.Turn, _ lines: inout Lines, _ outside: Outside, _ guide: Guide, echoes: Bool
) -> End? {
  // Before anything is said, which may fail where the line has dropped.
  if turn.effects.contains(.forget) { outside.forget() }
  outside.keep(lines.kept)
  if let code = LineInput.put((echoes ? turn.heard : "") + turn.text) { return (code, "") }
  guide.record?(turn.heard + turn.text)
  for effect in turn.effects {
    switch effect {
    case .order(let order): outside.carryOut(order)
    case .listRoutes: outside.listRoutes()
    case .save(let diagnosis):
      let saved = lines.handle(.saved(save(guide.report(diagnosis), host: lines.host, in: guide.folders())))
      if let end = carryOut(saved, &lines, outside, guide, echoes: echoes) { return end }
    case .preview(let diagnosis):
      let report = lines.preview(guide.report(diagnosis), hidden: guide.hidden(diagnosis))
      if let end = carryOut(report, &lines, outside, guide, echoes: echoes) { return end }
    case .practise(let exercise):
      let taken = lines.handle(outside.practise(exercise))
      if let end = carryOut(taken, &lines, outside, guide, echoes: echoes) { return end }
    case .paste(let text, let servesHere): outside.paste(text, servesHere)
    case .mend: guide.mend()
    case .seeAnew: guide.seeAnew()
    case .quit(let code, let line): return (code, line)
    case .copy, .showAlone, .forget, .suspend, .redraw: break
    }
  }
  return nil
}
