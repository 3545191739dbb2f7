#include "snapshot.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace key_value {
namespace {

constexpr std::size_t portion = 1 << 20;

[[noreturn]] void fail(const std::string& path) { throw std::system_error(errno, std::generic_category(), path); }

/// Carries out the whole requests that `input` holds, and takes them out of it.
void execute_all(Database& database, std::string& input, const std::string& path) {
  std::string_view left = input;
  Replies replies;
  for (;;) {
    const ParsedRequest parsed = parse_request(left);
    if (parsed.state == ParsedRequest::State::malformed) throw std::runtime_error(path + ": " + parsed.error);
    if (parsed.state == ParsedRequest::State::incomplete) break;
    replies.clear();
    if (!parsed.request.words.empty()) execute(database, parsed.request, replies);
    if (replies.bytes().starts_with('-')) throw std::runtime_error(path + ": " + replies.bytes());
    left.remove_prefix(parsed.length);
  }
  input.erase(0, input.size() - left.size());
}

}  // namespace

MOULT_UPDATABLE void save_entry(EntryRequests& requests, const Entry& entry) {
  requests.add("SET", entry.value().bytes());
}

void save(Database& database, const std::string& path) {
  const std::string unfinished = path + ".unfinished";
  std::ofstream file(unfinished, std::ios::binary);
  std::string bytes;
  for (Shard& shard : database.store.shards()) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [key, entry] : shard.entries) {
      EntryRequests requests(bytes, key);
      save_entry(requests, *entry);
      if (bytes.size() < portion) continue;
      file << bytes;
      bytes.clear();
    }
  }
  file << bytes;
  file.close();
  if (!file) fail(unfinished);
  std::filesystem::rename(unfinished, path);
}

void load(Database& database, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path);
  std::string input;
  for (;;) {
    const std::size_t held = input.size();
    input.resize(held + portion);
    file.read(input.data() + held, portion);
    input.resize(held + static_cast<std::size_t>(file.gcount()));
    if (input.size() == held) break;
    execute_all(database, input, path);
  }
  if (!input.empty()) throw std::runtime_error(path + ": it ends in the middle of a request");
}

}  // namespace key_value
