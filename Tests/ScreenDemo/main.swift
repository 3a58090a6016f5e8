// The guided session on a canned case, for the tests of the terminal.
//
// Arguments: an address to start with, or none; options `--ascii`, `--slow` (one check takes long), `--unseen` (the
// machine cannot be looked into), `--crash` (ends with a signal as soon as a check starts), `--plain`.
import Flow
import Glibc
import Model
import Screen
import ScreenCase
import Terminal

let words = CommandLine.arguments.dropFirst()
let isSlow = words.contains("--slow")
let isUnseen = words.contains("--unseen")
let isCrashing = words.contains("--crash")
let reason = LineInput.reason(isAsked: words.contains("--plain"))
let options = Terminal.Options(colours: true, ascii: words.contains("--ascii"))
let state = State(
  catalog: ScreenCase.catalog(), shapes: ScreenCase.shapes,
  notices: isUnseen ? ["Docker's socket may not be opened by this user, so containers cannot be seen."] : [],
  isASCII: options.isASCII, readsLines: reason != nil, site: ScreenCase.site)
let guide = Guide(
  look: { check, _, _ in
    if isCrashing { fatalError("as asked") }
    if isSlow, check == "port.listening" { try? await Task.sleep(for: .seconds(60)) }
    return (isUnseen && check != "site.answer" ? nil : ScreenCase.broken[check]) ?? ScreenCase.unseen(check)
  },
  routes: {
    AsyncStream { continuation in
      for route in ScreenCase.routes { continuation.yield(route) }
      continuation.finish()
    }
  },
  report: { "# \($0.url)\n\n\($0.causes.map(\.title).joined(separator: "\n"))\n" })
do {
  let url = words.first { !$0.hasPrefix("--") }
  let end =
    if let reason {
      try await guidedInLines(state, url: url, guide: guide, because: "\(reason)")
    } else {
      try await guided(state, url: url, guide: guide, options: options)
    }
  if !end.line.isEmpty { print(end.line) }
  exit(end.code)
} catch {
  print("refused: \(error)")
  exit(70)
}
