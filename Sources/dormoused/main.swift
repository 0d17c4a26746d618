print("dormoused")
