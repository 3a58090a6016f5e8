import FoundationEssentials
import Glibc

/// `fuzz NAME… --seconds N --seed S`, `fuzz --all`, `fuzz NAME --input FILE`.
@main struct Fuzz {
  private static let use = """
    fuzz NAME... | --all [--seconds N] [--seed S] [--jobs N] [--runs N] [--repository DIR] [--out DIR]
    fuzz NAME --input FILE     runs one input; a crash is one of this process
    fuzz --list
    """

  static func main() async {
    var names: [String] = []
    var options: [String: String] = [:]
    var words = CommandLine.arguments.dropFirst()
    while let word = words.popFirst() {
      if word == "--all" || word == "--list" {
        options[word] = ""
      } else if word.hasPrefix("--") {
        options[word] = words.popFirst()
      } else {
        names.append(word)
      }
    }
    func number(_ name: String, _ usual: Int) -> Int { options[name].flatMap { Int($0) } ?? usual }
    if options["--list"] != nil { return print(drivers.map(\.name).joined(separator: "\n")) }
    let chosen =
      options["--all"] != nil
      ? drivers : names.compactMap { name in (drivers + [SelfTest()]).first { $0.name == name } }
    guard !chosen.isEmpty, options["--all"] != nil || chosen.count == names.count else {
      print(use)
      exit(64)
    }
    let repository = Repository(folder: options["--repository"] ?? ".")
    if let path = options["--input"] {
      guard let input = FileManager.default.contents(atPath: path) else { exit(66) }
      await chosen[0].run(Array(input))
      print("\(chosen[0].name): \(milliseconds(CLOCK_PROCESS_CPUTIME_ID)) ms CPU, \(mostMemory() / 1024) MB")
      fflush(nil)
      // Without a look for leaks: what the program keeps for good is none.
      _exit(0)
    }
    let seed = UInt64(number("--seed", 502))
    if let path = options["--slate"], let slate = Slate(path: path) {
      let worker = Worker(
        driver: chosen[0], slate: slate, seed: seed,
        end: milliseconds(CLOCK_MONOTONIC) + number("--seconds", 60) * 1000,
        last: number("--runs", .max), corpus: options["--corpus"])
      await worker.run(repository, from: number("--from", 0))
      // Threads of unfinished looks are still in what an ordinary end would tidy up.
      fflush(nil)
      _exit(0)
    }
    let hunt = Hunt(
      drivers: chosen.map(\.name), repository: repository.folder, out: options["--out"] ?? ".build/fuzz",
      seconds: number("--seconds", 60), runs: number("--runs", .max), seed: seed, jobs: number("--jobs", 2))
    exit(hunt.run() ? 0 : 1)
  }
}
