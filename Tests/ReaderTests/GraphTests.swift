import Flow
import Reader
import Testing

struct GraphTests {
  @Test func graphvizTextIsTheSameEachTime() throws {
    let catalog = try #require(Sample().read().catalog)
    #expect(
      catalog.tree.dot(catalog) == #"""
        digraph wizard502 {
          node [fontname="sans-serif"];
          "answer" [shape=box, label="Does the site answer?"];
          "kind" [shape=diamond, label="What does {upstream.container} run in?"];
          "state" [shape=box, label="Does the container run?"];
          "cause backend-stopped" [shape=note, label="The app behind {site.host} has stopped"];
          "cause wrong-port" [shape=note, label="The port is wrong"];
          "end inconclusive" [shape=oval, label="inconclusive"];
          "end working" [shape=oval, label="working"];
          "answer" -> "end working" [label="ok"];
          "answer" -> "state" [label="bad"];
          "answer" -> "end inconclusive" [label="unknown"];
          "kind" -> "cause wrong-port" [label="process (likely)"];
          "kind" -> "end inconclusive" [label="other"];
          "kind" -> "end inconclusive" [label="unsure"];
          "state" -> "kind" [label="running"];
          "state" -> "cause backend-stopped" [label="stopped (certain)"];
          "state" -> "cause backend-stopped" [label="unknown (possible)"];
          "state" -> "kind" [label="unknown"];
        }

        """#)
  }

  @Test func mermaidTextIsTheSameEachTime() throws {
    let catalog = try #require(Sample().read().catalog)
    #expect(
      catalog.tree.mermaid(catalog) == #"""
        flowchart TD
          n0["Does the site answer?"]
          n1{"What does #123;upstream.container#125; run in?"}
          n2["Does the container run?"]
          n3(["The app behind #123;site.host#125; has stopped"])
          n4(["The port is wrong"])
          n5(("inconclusive"))
          n6(("working"))
          n0 -->|"ok"| n6
          n0 -->|"bad"| n2
          n0 -->|"unknown"| n5
          n1 -->|"process (likely)"| n4
          n1 -->|"other"| n5
          n1 -->|"unsure"| n5
          n2 -->|"running"| n1
          n2 -->|"stopped (certain)"| n3
          n2 -->|"unknown (possible)"| n3
          n2 -->|"unknown"| n1

        """#)
  }

  @Test func quotesInTitlesStayInside() throws {
    let catalog = try #require(
      Sample("Flows/checks.yaml", "title: Does the site answer?", #"title: A "site" \ answer"#).read().catalog)
    #expect(catalog.tree.dot(catalog).contains(#""answer" [shape=box, label="A \"site\" \\ answer"];"#))
    #expect(catalog.tree.mermaid(catalog).contains(#"n0["A #34;site#34; \ answer"]"#))
  }
}
