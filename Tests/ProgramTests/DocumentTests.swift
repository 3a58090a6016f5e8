import Foundation
import Testing

/// The manual page and what shells complete, in the hands of those who read them.
@Suite struct DocumentTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// What a program says of a document that the program under test has written.
  private func said(_ document: String, _ command: String...) async throws -> String {
    let text = try await Program.run("--generate", document, limit: 5)
    try #require((text.status, text.errors) == (0, ""))
    try folder.write(text.output, to: document)
    let path = URL(filePath: Program.path).deletingLastPathComponent().path() + ":/usr/bin:/bin"
    let run = try await Program.run(
      command + [folder.path + "/" + document],
      command: ["env", "PATH=" + path, "HOME=" + folder.path, "TERM=dumb"], limit: 20)
    return run.output + run.errors
  }

  @Test func manualPageIsSound() async throws {
    #expect(try await said("man", "mandoc", "-T", "lint", "-W", "error") == "")
    let page = try await said("man", "mandoc", "-T", "html")
    #expect(page.contains("diagnose") && page.contains("wizard502 itself failed") && !page.contains("generate"))
  }

  @Test(arguments: [
    ("wizard502 di", "diagnose"), ("wizard502 diagnose --js", "--json"), ("wizard502 show wrong-po", "wrong-port"),
    ("wizard502 --color n", "never"), ("wizard502 lint /usr/sb", "/usr/sbin"),
    ("wizard502 explain /etc/hostn", "/etc/hostname"), ("wizard502 graph --js", ""),
  ])
  func shellsComplete(_ typed: String, _ word: String) async throws {
    let words = typed.split(separator: " ")
    let bash = try await said(
      "bash", "bash", "-c",
      "source \"$0\"; compopt() { :; }; COMP_WORDS=(\(typed)); COMP_CWORD=\(words.count - 1); _wizard502; "
        + "printf '%s\\n' \"${COMPREPLY[@]}\"")
    #expect(bash.split(separator: "\n").contains(Substring(word)) || bash == "\n" && word.isEmpty, "\(bash)")
    let fish = try await said("fish", "fish", "-c", "source $argv[1]; complete -C '\(typed)'")
    let offered = fish.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
    #expect(offered.contains { $0 == word || $0 == word + "/" } || offered.isEmpty && word.isEmpty, "\(fish)")
    let completed = try await said("zsh", "zsh", "-f", "-c", Self.tabInZsh, typed)
    let line = (words.dropLast() + [Substring(word)]).joined(separator: " ")
    #expect(word.isEmpty ? !completed.contains("--json") : completed.contains(line), "\(completed)")
  }

  /// `zsh -c THIS TYPED FILE`: a zsh of its own on a terminal, in which a tab is pressed behind TYPED.
  private static let tabInZsh = """
    zmodload zsh/zpty
    zpty inner 'TERM=dumb zsh -f -i'
    zpty -w inner "fpath=(${1:h} \\$fpath); autoload -U compinit; compinit -u -D; compdef _wizard502 wizard502"
    zpty -w inner "_wizard502() { source $1 }; PS1=re''ady"
    zpty -r inner said '*ready*'
    zpty -n -w inner "$0"$'\\t'$'\\C-a: \\C-e; print do\\'\\'ne\\n'
    zpty -r inner said '*done*'
    print -r -- ${said//[^[:print:]]/}
    """
}
