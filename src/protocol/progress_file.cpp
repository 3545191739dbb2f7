#include "protocol/progress_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>

#include "base/progress.hpp"

namespace moult::internal {
namespace {

/// A copy of the board's memory. Its words may be of slightly different moments.
using Snapshot = std::array<char, sizeof(ProgressBoard)>;

std::uint64_t word_at(const Snapshot& bytes, std::size_t offset) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return word;
}

std::string what_of(const Snapshot& bytes) {
  const char* const begin = bytes.data() + offsetof(ProgressBoard, what);
  std::string text(begin, ::strnlen(begin, sizeof(ProgressBoard::what)));
  std::ranges::replace_if(
      text, [](char each) { return static_cast<unsigned char>(each) < 0x20 || each == 0x7F; }, '?');
  return text;
}

}  // namespace

std::string progress_name(int pid) { return std::to_string(pid) + ".progress"; }

std::optional<WorkInProgress> read_progress(const std::filesystem::path& path) {
  Snapshot bytes{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), bytes.size())) return std::nullopt;
  const std::uint64_t number = word_at(bytes, offsetof(ProgressBoard, number));
  if (word_at(bytes, offsetof(ProgressBoard, magic)) != ProgressBoard::right_magic || number % 2 == 0)
    return std::nullopt;
  const std::uint64_t each = std::max<std::uint64_t>(1, word_at(bytes, offsetof(ProgressBoard, steps_each)));
  const std::uint64_t total = word_at(bytes, offsetof(ProgressBoard, total));
  const std::uint64_t done = std::min(total, word_at(bytes, offsetof(ProgressBoard, done)));
  return WorkInProgress{number, what_of(bytes), total / each, static_cast<double>(done) / static_cast<double>(each)};
}

}  // namespace moult::internal
