console.log("a page")
