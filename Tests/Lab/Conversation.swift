import Checks
import Flow
import Foundation
import Model
import Reader

/// A guided session in lines with the program where it can see nothing: as nobody, in a network and among processes of
/// its own.
final class Conversation {
  /// What the program wants to know.
  struct Question {
    /// The fact that the answer tells.
    var fact: String
    var text: String
    /// The answer's name in the tree, and its words; in the order in which they are offered.
    var answers: [(key: String, text: String)]
    /// The number of the way to more of them.
    var more: Int?
    /// What it says can be typed to find out.
    var command: String?
  }

  enum Turn {
    case question(Question)
    /// The first cause's id, or "working" or "nothing".
    case result(String)
  }

  /// The data that the program has built in, or takes from elsewhere.
  private static let catalog: Catalog? = {
    let shapes = Check.all.map(\.shape)
    guard let folder = ProcessInfo.processInfo.environment["LAB_FLOWS"] else {
      return Reader.read(files: Reader.builtIn, shapes: shapes, checkingPatterns: false).catalog
    }
    return (try? Reader.files(in: folder)).flatMap {
      Reader.read(files: $0, shapes: shapes, checkingPatterns: false).catalog
    }
  }()

  private let process = Process()
  private let input = Pipe()
  private let output: URL
  private var read = 0
  /// Everything that was said and answered.
  var transcript: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  init(about url: String) throws {
    output = FileManager.default.temporaryDirectory.appending(path: "lab-\(UUID().uuidString).out")
    try Data().write(to: output)
    process.executableURL = URL(filePath: "/usr/bin/timeout")
    let flows = ProcessInfo.processInfo.environment["LAB_FLOWS"].map { ["--flows", $0] } ?? []
    process.arguments =
      ["600", "unshare", "-n", "-p", "--fork", "--kill-child", "--mount-proc"]
      + ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env"]
      + ["HOME=/nonexistent", Wizard.program, url, "--plain"] + flows
    process.standardInput = input
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// Leaves; nothing of it stays.
  func end() {
    try? input.fileHandleForWriting.close()
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: output)
  }

  /// Gives an answer by its words, or goes where a number leads.
  func answer(_ words: String) throws { try input.fileHandleForWriting.write(contentsOf: Data("\(words)\n".utf8)) }

  /// What is asked or said next; of a question all that can be answered, which may take some screens.
  func next() async throws -> Turn {
    var turn = try await say()
    while case .question(var question) = turn, let more = question.more {
      try answer("\(more)")
      guard case .question(let others) = try await say(), others.text == question.text else { break }
      question.answers += others.answers.filter { other in !question.answers.contains { $0.key == other.key } }
      question.more = others.more
      turn = .question(question)
    }
    return turn
  }

  private func say() async throws -> Turn {
    let isAsked = await eventually(within: 150) { transcript.dropFirst(read).hasSuffix("q quit: ") }
    let said = String(transcript.dropFirst(read))
    guard isAsked, let catalog = Self.catalog else { throw CommandFailed(description: "no prompt comes: \(said)") }
    read = transcript.count
    let lines = said.split(separator: "\n").map(String.init)
    if let start = lines.lastIndex(where: { $0.hasPrefix("Result for ") }) {
      return .result(catalog.firstCause(in: lines[start...]))
    }
    guard let start = lines.lastIndex(where: { $0.hasPrefix("Question ") }),
      let question = catalog.question(in: lines[start...].dropFirst().map { $0.trimmingCharacters(in: .whitespaces) })
    else { throw CommandFailed(description: "neither question nor result: \(said)") }
    return .question(question)
  }
}

extension Catalog {
  fileprivate func firstCause(in lines: ArraySlice<String>) -> String {
    for line in lines {
      if line == word("working.title") { return "working" }
      let title = line.trimmingCharacters(in: .whitespaces).drop { $0.isNumber || $0 == " " }
      if let cause = pages.keys.first(where: { pages[$0]?.title.fits(String(title)) == true }) { return cause }
    }
    return "nothing"
  }

  fileprivate func question(in lines: [String]) -> Conversation.Question? {
    for node in tree.nodes.values {
      guard case .fact(let fact, let question?) = node.looks, let text = lines.first(where: question.text.fits) else {
        continue
      }
      var answers: [(key: String, text: String)] = []
      var (more, count): (Int?, Int) = (nil, 0)
      for line in lines where line.hasPrefix("\(count + 1) ") {
        let words = String(line.drop { $0.isNumber }.dropFirst()).replacing(/\ \(your answer\)$/, with: "")
        let branch = node.branches.first { branch in
          branch.text?.forms.flatMap(\.texts).contains { $0.fits(words) } ?? false
        }
        if words == word("question.others") {
          more = count + 1
        } else if let branch {
          answers.append((branch.written, words))
        } else {
          break
        }
        count += 1
      }
      // Another node may ask the same in the same words, for other answers.
      guard lines.contains(where: { $0.hasPrefix("\(count + 1) ") }) == false, !answers.isEmpty else {
        continue
      }
      let start = lines.firstIndex(of: word("question.find-out")) ?? lines.endIndex
      let how = lines[start...].prefix { $0 != word("question.example") }
      let command = question.run == nil || how.count == lines[start...].count ? nil : how.last
      return .init(fact: fact.text, text: text, answers: answers, more: more, command: command)
    }
    return nil
  }
}

extension Template {
  /// True if the words can be this, filled in somehow.
  fileprivate func fits(_ words: String) -> Bool {
    var rest = words[...]
    var isOpen = false
    for part in parts {
      switch part {
      case .fact: isOpen = true
      case .text(let text):
        guard let found = rest.range(of: text), isOpen || found.lowerBound == rest.startIndex else { return false }
        (rest, isOpen) = (rest[found.upperBound...], false)
      }
    }
    return rest.isEmpty || isOpen
  }
}
