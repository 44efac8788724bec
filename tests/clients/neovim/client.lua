-- Neovim's own client at work: opens the Dockerfile of the working directory, receives the diagnostics, reads a hover,
-- applies a code action and sees the buffer change. Prints what happens; ends with an error if it does not.
-- The configuration that starts the server is that of docs/editors.md.

local function say(...)
  io.stdout:write(string.format(...) .. "\n")
end

local function fail(what)
  io.stderr:write("neovim client: " .. what .. "\n")
  vim.cmd("cquit 1")
end

local function wait_for(what, condition)
  if not vim.wait(240000, condition, 10) then
    fail("waited in vain for " .. what)
  end
end

local function first_line(text)
  return (text:gsub("\n.*", ""))
end

vim.cmd("edit Dockerfile")
local buffer = vim.api.nvim_get_current_buf()

local client_id
wait_for("the server", function()
  client_id = next(vim.lsp.buf_get_clients(buffer))
  return client_id ~= nil
end)

local function diagnostics()
  return vim.diagnostic.get(buffer)
end

wait_for("diagnostics", function() return #diagnostics() > 0 end)
say("opened Dockerfile, diagnostics: %d", #diagnostics())
for _, found in ipairs(diagnostics()) do
  say("  %d:%d %s: %s", found.lnum + 1, found.col + 1, found.code or found.user_data.lsp.code, first_line(found.message))
end

local function request(method, params)
  local answers = vim.lsp.buf_request_sync(buffer, method, params, 240000)
  local answer = answers and answers[client_id]
  if not answer or answer.err then
    fail(method .. " has no answer")
  end
  return answer.result
end

local document = { uri = vim.uri_from_bufnr(buffer) }
local install = vim.fn.search("^RUN npm ci$", "nw")
local at = { line = install - 1, character = 1 }

local hover = request("textDocument/hover", { textDocument = document, position = at })
say("\nhover over `RUN npm ci`:")
for line in vim.gsplit(hover.contents.value, "\n", true) do
  say(line == "" and "" or "  " .. line)
end

local actions = request("textDocument/codeAction", {
  textDocument = document,
  range = { start = { line = at.line, character = 4 }, ["end"] = { line = at.line, character = 4 } },
  context = { diagnostics = {}, only = { "quickfix" } },
})
say("actions there:")
for _, action in ipairs(actions) do
  say("  %s", action.title)
end

local before = #diagnostics()
local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, true)
local encoding = vim.lsp.get_client_by_id(client_id).offset_encoding
vim.lsp.util.apply_workspace_edit(actions[1].edit, encoding)
say("\napplied \"%s\":", actions[1].title)
local after = vim.api.nvim_buf_get_lines(buffer, 0, -1, true)
for number, line in ipairs(after) do
  if line ~= lines[number] then
    say("  %d: %s", number, line)
    break
  end
end
wait_for("one diagnostic less", function() return #diagnostics() == before - 1 end)
say("diagnostics left: %d", #diagnostics())

vim.lsp.stop_client(client_id)
wait_for("the end of the server", function() return vim.lsp.client_is_stopped(client_id) end)
say("the server has ended")
vim.cmd("quitall!")
