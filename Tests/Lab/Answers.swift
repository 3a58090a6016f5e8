import Foundation
import Testing

/// The same faults where the program sees nothing at all and asks: what somebody can find out with the questions' own
/// commands is all that it is told.
extension Lab {
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LAB_ANSWERS"] != nil), arguments: Fault.all)
  func answered(_ fault: Fault) async throws {
    try await standing(fault) { site, _, _ in try await ask(fault, site) }
  }

  func ask(_ fault: Fault, _ site: Site) async throws {
    let owner = try Owner(of: site)
    let conversation = try Conversation(about: site.url)
    var asked: [String] = []
    var got = "nothing"
    do {
      talk: while true {
        switch try await conversation.next() {
        case .result(let cause):
          got = cause
          break talk
        case .question(let question):
          let answer = try await owner.answer(to: question)
          asked.append("\(question.fact)=\(answer.key)")
          try conversation.answer(answer.text)
        }
      }
    } catch {
      conversation.end()
      throw error
    }
    let expected = site.findings.first?.cause ?? "working"
    keep(conversation, fault, isRight: got == expected)
    conversation.end()
    await Tally.shared.add(questions: asked.count, isRight: got == expected, isBroken: !site.findings.isEmpty)
    await Table.answers.add(
      .init(
        fault: fault.name, proxy: site.proxy, expected: expected, got: got,
        confidence: asked.joined(separator: " "), isFixed: String(asked.count)))
  }

  /// Keeps what was said where it misled, if `LAB_ANSWERS` names a folder for that.
  private func keep(_ conversation: Conversation, _ fault: Fault, isRight: Bool) {
    guard let folder = ProcessInfo.processInfo.environment["LAB_ANSWERS"], folder.hasPrefix("/"), !isRight else {
      return
    }
    let file = URL(filePath: folder).appending(path: "\(fault.name.replacing("/", with: "-")).txt")
    try? Data(conversation.transcript.utf8).write(to: file)
  }
}

/// How many questions it took, and how often they led to the right cause.
actor Tally {
  static let shared = Tally()
  private var questions: [Int] = []
  private var right = 0
  private var (healthy, calledHealthy) = (0, 0)

  func add(questions count: Int, isRight: Bool, isBroken: Bool) {
    guard isBroken else {
      healthy += 1
      if isRight { calledHealthy += 1 }
      return
    }
    questions.append(count)
    if isRight { right += 1 }
  }

  /// Prints the figures and holds them to what questions are for. Nothing where nobody was asked.
  func finish() {
    guard !questions.isEmpty else { return }
    let (sorted, share) = (questions.sorted(), Double(right) / Double(questions.count))
    let (median, most) = (sorted[sorted.count / 2], sorted[sorted.count - 1])
    print(
      "answers alone: first cause right \(right) of \(questions.count) faults (\(Int(share * 100)) %); questions: median \(median), at most \(most); \(calledHealthy) of \(healthy) healthy sites are called so"
    )
    // Of a few faults the shares say nothing.
    guard questions.count >= 20 else { return }
    #expect(share >= 0.75)
    #expect(median <= 3)
    #expect(most <= 5)
    #expect(calledHealthy == healthy)
  }
}
