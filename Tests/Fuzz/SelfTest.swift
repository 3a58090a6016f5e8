/// A reader that is wrong on purpose: whoever runs this driver sees whether a crash is found and kept. Not one of `--all`.
struct SelfTest: Driver {
  let name = "self-test"

  func seeds(_ repository: Repository) -> [[UInt8]] { [Array("size: 10\nsize: 200\n".utf8)] }

  func run(_ input: [UInt8]) async {
    for word in input.split(whereSeparator: { $0 <= 0x20 }) {
      if let number = Int(String(decoding: word, as: UTF8.self)), number * 2 == 42 { return }
    }
  }
}
