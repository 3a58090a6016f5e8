import Flow
import Glibc
import Model
import Screen
import Terminal

/// What the guided session does beyond the screen.
struct Guide: Sendable {
  let look: Runner.Look
  /// Every route of every proxy here, and again when its site's answer is known.
  let routes: @Sendable () -> AsyncStream<RouteLine>
  /// A diagnosis as Markdown.
  let report: @Sendable (Diagnosis) -> String
  /// How many secrets are left out of that.
  var hidden: @Sendable (Diagnosis) -> [HiddenKind: Int] = { _ in [:] }
  /// Writes down what is said, as far as somebody wants that.
  var record: (@Sendable (String) -> Void)?
  /// Where reports go: into the first of these folders that takes one.
  var folders: @Sendable () -> [String] = { .placesForReports }
  /// Puts the systems of an exercise in the machine's place: what its case is given, and their day; then the next one.
  var practise: @Sendable (Exercise) -> (given: Facts, date: String)? = { _ in nil }
  var mend: @Sendable () -> Void = {}
  /// Has what was collected elsewhere collected again.
  var seeAnew: @Sendable () -> Void = {}
  /// Takes in what was pasted, as evidence.
  var paste: @Sendable (String, _ servesHere: Bool) async -> Understanding = { _, _ in .refused(.nothing) }
  /// Writes down where the session is, so that it can go on later; nil: there is nothing to go on with.
  var keep: @Sendable (Kept?) -> Void = { _ in }
}

/// How a guided session ended: the exit code, and a line for whoever reads the terminal afterwards, or none.
typealias End = (code: Int32, line: String)

/// A guided session on the terminal; returns after the terminal has been given back.
///
/// Keys, findings, resizes, signals and seconds come through one stream; the state says what is to be done.
@MainActor
func guided(_ state: State, url: String?, guide: Guide, options: Terminal.Options) async throws -> End {
  let (arrivals, sink) = AsyncStream.makeStream(of: Arrival.self)
  return try await Terminal.open(options, send: { sink.yield(.terminal($0)) }) { terminal in
    let loop = Loop(state: state, terminal: terminal, guide: guide, sink: sink)
    return await loop.run(url: url, arrivals)
  }
}

private enum Arrival: Sendable {
  case terminal([Terminal.Message])
  case event(Event)
}

@MainActor
private final class Loop {
  private var state: State
  private let terminal: Terminal
  private let guide: Guide
  private let outside: Outside
  private var transcript = Transcript()

  init(state: State, terminal: Terminal, guide: Guide, sink: AsyncStream<Arrival>.Continuation) {
    self.state = state
    self.terminal = terminal
    self.guide = guide
    outside = Outside(guide) { sink.yield(.event($0)) }
  }

  func run(url: String?, _ arrivals: AsyncStream<Arrival>) async -> End {
    defer { outside.end() }
    _ = state.handle(.resized(terminal.size))
    let first = state.begin(url: url)
    if let end = carryOut(first) ?? takeAhead() { return end }
    outside.keep(state.kept)
    terminal.draw(state.view())
    for await arrival in arrivals {
      if let end = take(arrival) ?? takeAhead() { return end }
      outside.keep(state.kept)
      outside.countSeconds(state.isRunning)
      terminal.draw(state.view())
    }
    return (0, "")
  }

  /// Writes down what is new, and takes the answers that were given before anybody was asked.
  private func takeAhead() -> End? {
    guide.record?(transcript.news(of: state))
    while let (_, effects) = state.takeAhead() {
      guide.record?(transcript.news(of: state))
      if let end = carryOut(effects) { return end }
    }
    return nil
  }

  private func take(_ arrival: Arrival) -> End? {
    switch arrival {
    case .event(let event): return carryOut(state.handle(event))
    case .terminal(let messages):
      for message in messages {
        if let end = take(message) { return end }
      }
      return nil
    }
  }

  private func take(_ message: Terminal.Message) -> End? {
    switch message {
    case .key(let key): return carryOut(state.handle(.key(key)))
    case .resized(let size): return carryOut(state.handle(.resized(size)))
    case .resumed:
      terminal.resume()
      _ = state.handle(.resized(terminal.size))
      if !state.isAlone { terminal.redraw(state.view()) }
      return nil
    case .ended(let signal): return (128 + signal, "")
    case .hungUp: return (128 + SIGHUP, "")
    }
  }

  /// The end, if that is what the state asks for.
  private func carryOut(_ effects: [Effect]) -> End? {
    for effect in effects {
      switch effect {
      case .order(let order): outside.carryOut(order)
      case .listRoutes: outside.listRoutes()
      case .copy(let text): terminal.copy(text)
      case .showAlone(let text): terminal.showAlone(text)
      case .save(let diagnosis):
        let path = save(guide.report(diagnosis), host: state.host, in: guide.folders())
        _ = state.handle(.saved(path))
      case .preview(let diagnosis):
        _ = state.handle(.previewed(guide.report(diagnosis), hidden: guide.hidden(diagnosis)))
      case .paste(let text, let servesHere): outside.paste(text, servesHere)
      case .practise(let exercise):
        _ = state.handle(outside.practise(exercise))
      case .mend: guide.mend()
      case .seeAnew: guide.seeAnew()
      case .forget: outside.forget()
      case .suspend:
        terminal.suspend()
        _ = state.handle(.resized(terminal.size))
        terminal.redraw(state.view())
      case .redraw: terminal.redraw(state.view())
      case .quit(let code, let line): return (code, line)
      }
    }
    return nil
  }
}

extension [String] {
  /// Here, or in the home folder.
  static var placesForReports: [String] {
    let here = getcwd(nil, 0)
    defer { free(here) }
    return [here.map { String(cString: $0) }, getenv("HOME").map { String(cString: $0) }].compactMap { $0 }
  }
}

/// Writes a report that only its owner can read into one of the folders; never over another file.
/// The path; nil if none of them took it.
func save(_ report: String, host: String, in folders: [String]) -> String? {
  var now = time(nil)
  var parts = tm()
  localtime_r(&now, &parts)
  let name =
    "wizard502-" + host.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) }
    + "-" + parts.date
  for folder in folders {
    for suffix in [""] + (2...99).map({ "-\($0)" }) {
      let path = (folder == "/" ? "" : folder) + "/\(name)\(suffix).md"
      let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if file < 0, errno == EEXIST { continue }
      guard file >= 0 else { break }
      defer { close(file) }
      let bytes = Array(report.utf8)
      if write(file, bytes, bytes.count) == bytes.count { return path }
      unlink(path)
      break
    }
  }
  return nil
}

extension tm {
  /// `2026-11-30`
  var date: String { "\(tm_year + 1900)-\(Self.padded(tm_mon + 1))-\(Self.padded(tm_mday))" }
  /// `03:04`
  var time: String { "\(Self.padded(tm_hour)):\(Self.padded(tm_min))" }

  private static func padded(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
}
