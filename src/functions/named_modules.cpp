#include "functions/named_modules.hpp"

#include <filesystem>

#include "moult/error.hpp"

namespace moult::internal {

namespace {

std::string file_name_of(const std::string& path) { return std::filesystem::path(path).filename().string(); }

std::size_t find_module(const Program& program, const std::string& name) {
  std::string loaded;
  for (std::size_t i = 0; i < program.modules().size(); ++i) {
    const std::string& path = program.modules()[i].path;
    if (path == name || file_name_of(path) == name) return i;
    loaded += (loaded.empty() ? "" : ", ") + file_name_of(path);
  }
  throw Error(ErrorCode::not_found, name + ": no such module is loaded; loaded are " + loaded);
}

}  // namespace

std::vector<std::size_t> find_modules(const Program& program, const std::vector<std::string>& names) {
  std::vector<std::size_t> modules;
  for (const std::string& name : names) modules.push_back(find_module(program, name));
  if (modules.empty()) modules.push_back(0);  // the loader's first is the program itself
  return modules;
}

}  // namespace moult::internal
