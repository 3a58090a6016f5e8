import Flow
import Model

/// An exercise that is under way.
struct Practising: Sendable, Equatable {
  let exercise: Exercise
  /// Hints that were asked for.
  var hints = 0
  /// How many fixes were shown and taken as done.
  var mended = 0
  /// True when the person knows what is wrong with the system in sight.
  var isFound = false

  /// True if nothing is wrong with the system in sight.
  var isMended: Bool { mended == exercise.causes.count }
}

extension State {
  // MARK: The exercises, and the goal of one

  var exercisesSheet: Sheet {
    var sheet = Sheet(title: word("practice.title"))
    sheet.isChoice = true
    sheet.say(word("practice.promise"))
    sheet.blocks.append(.gap)
    for (index, exercise) in exercises.enumerated() {
      sheet.blocks.append(.item(label: Span(String(index + 1), spoken: ""), words: [Span(exercise.title)], note: ""))
    }
    return sheet
  }

  var goalSheet: Sheet {
    guard let exercise = practising?.exercise else { return Sheet(title: "") }
    var sheet = Sheet(title: exercise.title)
    sheet.say(exercise.goal, .bold)
    sheet.blocks.append(.gap)
    sheet.say(word("practice.begin"))
    sheet.blocks.append(.gap)
    sheet.say(word("practice.safe"))
    return sheet
  }

  var hintsSheet: Sheet {
    var sheet = Sheet(title: word("practice.hints"))
    guard let practising else { return sheet }
    for (index, hint) in practising.exercise.hints.prefix(practising.hints).enumerated() {
      sheet.blocks.append(.gap)
      sheet.say("\(index + 1) \(hint)", hanging: 2)
    }
    sheet.blocks.append(.gap)
    sheet.say(
      word(practising.hints < practising.exercise.hints.count ? "practice.more-hints" : "practice.last-hint"), .dim)
    return sheet
  }

  // MARK: What is wrong

  /// What a person may take for the fault.
  enum Guess: Equatable {
    case cause(String)
    case nothing
    /// Wants to be told.
    case unsure
  }

  var guesses: [Guess] {
    guard let exercise = practising?.exercise else { return [] }
    return Set(exercise.causes + exercise.others).sorted().map { .cause($0) } + [.nothing, .unsure]
  }

  private func text(of guess: Guess) -> String {
    switch guess {
    case .cause(let cause): catalog.title(of: cause, session?.facts ?? Facts())
    case .nothing: word("practice.nothing")
    case .unsure: word("practice.tell")
    }
  }

  var guessSheet: Sheet {
    var sheet = Sheet(title: word("practice.guess", session?.facts ?? Facts()))
    sheet.isChoice = true
    sheet.say(word("practice.guess-ask"), .bold)
    sheet.blocks.append(.gap)
    for (index, guess) in guesses.enumerated() {
      let number = Span(String(index + 1), spoken: "")
      sheet.blocks.append(.item(label: number, words: [Span(text(of: guess))], note: ""))
    }
    sheet.head(word("verdict.path"))
    sheet.blocks.append(.text(pathLine, indent: 2, hanging: 0))
    sheet.blocks.append(.gap)
    sheet.say(word("practice.guess-help"))
    return sheet
  }

  /// The number of the exercise, or of the cause, of which a person says the words or the name.
  func number(saidAs text: String) -> Int? {
    let names: [[String]] =
      switch scene {
      case .exercises: exercises.map { [$0.name, $0.title] }
      case .guess:
        guesses.map { guess in
          if case .cause(let cause) = guess { [cause, self.text(of: guess)] } else { [self.text(of: guess)] }
        }
      default: []
      }
    return names.firstIndex { $0.contains { $0.lowercased() == text.lowercased() } }.map { $0 + 1 }
  }

  /// Takes a person's word for what is wrong: on to the result if it is so, or if it is not to be guessed.
  mutating func guess(_ guess: Guess) -> [Effect] {
    guard let practising, let diagnosis else { return [] }
    let right: Guess = practising.isMended ? .nothing : .cause(practising.exercise.causes[practising.mended])
    guard guess == right || guess == .unsure else {
      let cause: String? = if case .cause(let cause) = guess { cause } else { nil }
      let against = diagnosis.ruledOut.first { $0.cause == cause }?.because
      hint = against.map { word("practice.wrong-since", ["cause.because": $0]) } ?? word("practice.wrong")
      return []
    }
    self.practising?.isFound = true
    let effects = goOn()
    hint = word(guess == .unsure ? "practice.told" : "practice.right")
    return effects
  }

  /// The fix that was shown is taken as done: the system after it is in sight now.
  mutating func mend() -> [Effect] {
    guard let practising, practising.isFound, !practising.isMended, case .fix = scene else { return [] }
    self.practising?.mended += 1
    self.practising?.isFound = practising.mended + 1 == practising.exercise.causes.count
    return [.mend]
  }

  /// How it ends: what an expert would have looked at first.
  func sayPractised(in sheet: inout Sheet) {
    guard let practising, practising.isFound, practising.isMended else { return }
    sheet.head(word("practice.first"))
    sheet.say(practising.exercise.first)
  }
}
