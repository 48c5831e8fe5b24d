-- What somebody does with one migration in Neovim, through Neovim's own client:
--   nvim --headless -u SNIPPET.lua -S neovim.lua MIGRATION_WITH_EMPTY_DOWNGRADE.py
-- Writes a line a step; exit status 1 where one failed.

local failed = false
local function check(ok, what, shown)
  failed = failed or not ok
  local said = shown == nil and '' or ': ' .. (type(shown) == 'string' and shown or vim.inspect(shown))
  io.stdout:write((ok and 'ok   ' or 'FAIL ') .. what .. said:gsub('%s+', ' ') .. '\n')
end

local function waited(condition)
  return (vim.wait(10000, condition, 20))
end

local function codes(buffer)
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(buffer)) do
    found[diagnostic.code] = diagnostic
  end
  return found
end

local function text(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), '\n')
end

local messages, progress = {}, {}
vim.lsp.handlers['window/showMessage'] = function(_, message)
  table.insert(messages, message.message)
end
vim.api.nvim_create_autocmd('LspProgress', {
  callback = function(event)
    local value = event.data.params.value
    table.insert(progress, value.kind .. ' ' .. (value.message or value.title or ''))
  end,
})

local function run()
  local buffer = vim.api.nvim_get_current_buf()
  local uri = vim.uri_from_bufnr(buffer)
  waited(function()
    return codes(buffer)['empty-downgrade'] ~= nil
  end)
  local client = assert(vim.lsp.get_clients({ bufnr = buffer })[1], 'no server was started')
  local empty = codes(buffer)['empty-downgrade']
  check(empty ~= nil, 'shows what is wrong', empty and empty.message)
  check(client.name == 'alembic_roundtrip', 'the snippet started the server', client.name)

  local function command(name, argument)
    local answer
    vim.lsp.buf_request(buffer, 'workspace/executeCommand', { command = name, arguments = { argument } },
      function(err, result)
        answer = err and { err = err.message } or { result = result }
      end)
    waited(function()
      return answer ~= nil
    end)
    return answer or { err = 'no answer' }
  end

  local before = command('alembicRoundtrip.testRevision', uri)
  check(vim.tbl_get(before, 'result', 'revisions', 1, 'verdict') == 'failed', 'rehearses by command',
    before.err)
  check(progress[1] and vim.startswith(progress[1], 'begin ') and vim.startswith(progress[#progress], 'end '),
    'shows progress', #progress .. ' reports, last: ' .. tostring(progress[#progress]))
  check(#messages == 1, 'says the result', messages[1])
  check(command('alembicRoundtrip.testRevision', 'file:///elsewhere.py').err ~= nil,
    'says why it cannot')

  vim.api.nvim_win_set_cursor(0, { empty.lnum + 1, empty.col })
  local original = text(buffer)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title == 'Write the downgrade from the upgrade'
    end,
  })
  waited(function()
    return text(buffer) ~= original
  end)
  check(text(buffer):find("drop_column('nickname')", 1, true) ~= nil, 'writes the downgrade', text(buffer):match('def downgrade.*'))
  check(waited(function()
    return codes(buffer)['empty-downgrade'] == nil
  end), 'takes the diagnostic back')

  vim.cmd.write()
  vim.lsp.codelens.refresh({ bufnr = buffer })
  waited(function()
    return #vim.lsp.codelens.get(buffer) > 0
  end)
  local lens = vim.lsp.codelens.get(buffer)[1]
  check(lens ~= nil, 'shows a lens', lens and lens.command and lens.command.title)
  vim.api.nvim_win_set_cursor(0, { lens.range.start.line + 1, 0 })
  vim.lsp.codelens.run()
  waited(function()
    return #messages == 2
  end)
  check((messages[2] or ''):find('lossless') ~= nil, 'the lens rehearses', messages[2])

  local last = vim.api.nvim_buf_line_count(buffer)
  vim.api.nvim_buf_set_lines(buffer, last - 2, last, true, { '    pass' })
  check(waited(function()
    return codes(buffer)['empty-downgrade'] ~= nil
  end), 'follows an edit', text(buffer):match('def downgrade.*'))

  client:stop()
  check(waited(function()
    return vim.lsp.get_client_by_id(client.id) == nil
  end), 'ends the server')
end

local ran, why = pcall(run)
check(ran, 'came to the end', not ran and why or nil)
vim.cmd(failed and 'cquit 1' or 'qall!')
