#include "update.hpp"

#include <stdexcept>

#include "program.hpp"

namespace {

struct Finder : moult::HeapWalker {
  Finder() {
    on<app::Data>([this](app::Data& data, const moult::HeapPath& path) {
      found.numbers.insert(data.number);
      found.paths[data.number] = path.text();
    });
    on<const app::Shape>([this](const app::Shape& shape) { found.sides.insert(shape.sides); });
  }
  Found found;
};

Found find(const moult::HeapTraversal& options) {
  Finder finder;
  moult::HeapSummary summary = moult::traverse_heap(finder, options);
  finder.found.summary = summary;
  return finder.found;
}

std::unique_ptr<moult::Update> update_with(std::shared_ptr<moult::HeapWalker> walker) {
  return std::make_unique<moult::HeapTraversalUpdate>("walk", std::move(walker));
}

std::unique_ptr<moult::Update> count_and_throw_at(int number) {
  auto walker = std::make_shared<moult::HeapWalker>();
  walker->on<app::Data>(
      [number](app::Data& data) {
        if (data.number == number) throw std::runtime_error("trouble with one object");
        ++data.visits;
      },
      [](app::Data& data) { --data.visits; });
  return update_with(std::move(walker));
}

std::unique_ptr<moult::Update> count() { return count_and_throw_at(0); }

std::unique_ptr<moult::Update> look() {
  auto walker = std::make_shared<moult::HeapWalker>();
  walker->on<const app::Data>([](const app::Data&) {});
  return update_with(std::move(walker));
}

std::size_t measure() {
  moult::HeapWalker walker;
  walker.on<app::Chain>([](app::Chain&) {});
  return moult::traverse_heap(walker).visited;
}

Found change_settings() {
  Finder finder;
  moult::HeapWalker walker;
  walker.on<app::Setting>([&](app::Setting& setting) { finder.found.numbers.insert(setting.value); });
  finder.found.summary = moult::traverse_heap(walker);
  return finder.found;
}

Found look_at_settings() {
  Finder finder;
  moult::HeapWalker walker;
  walker.on<const app::Setting>([&](const app::Setting& setting) { finder.found.numbers.insert(setting.value); });
  finder.found.summary = moult::traverse_heap(walker);
  return finder.found;
}

}  // namespace

extern "C" const LoadedUpdate loaded_update{find,    count_and_throw_at, count,           look,
                                            measure, change_settings,    look_at_settings};
