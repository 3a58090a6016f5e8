print("wizard502")
