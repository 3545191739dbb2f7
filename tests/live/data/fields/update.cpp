// Gives documents an author, which title returns, and a method that other updates call.
#include "update.hpp"

#include <thread>

static moult::Field<Document, Author> author() { return moult::field<Document, Author>("author"); }

class Titled {
 public:
  std::string title() const;
};
MOULT_UPDATABLE std::string Titled::title() const {
  const Document& self = reinterpret_cast<const Document&>(*this);
  return std::to_string(self.number()) + " by " + author().of(self).name;
}

namespace {

std::string described(const Document& document) { return "a document, " + document.title(); }

class Authors final : public moult::Update {
 public:
  explicit Authors(std::atomic<int>& alive) : Update("authors"), alive_(alive) {}
  bool check_alterability() override { return moult::check_quiescence_of_function(&Document::title, patience()); }
  bool wait_alterability() override { return moult::wait_quiescence_of_function(&Document::title, patience()); }
  void apply() override {
    moult::add_field_to_class<Document, Author>(
        "author", {.initial = [&alive = alive_](Document&) { return Author("nobody", alive); }});
    moult::add_method_to_class("described", described);
    moult::redefine_function(&Document::title, &Titled::title);
  }

 private:
  std::atomic<int>& alive_;
};

void stay_inside(Document& document, std::atomic<bool>& is_inside, const std::atomic<bool>& goes_on) {
  Author& held = author().of(document);
  is_inside = true;
  while (!goes_on) std::this_thread::yield();
  held.name = "somebody";
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const LoadedUpdate loaded_update{
    [](std::atomic<int>& alive) -> std::unique_ptr<moult::Update> { return std::make_unique<Authors>(alive); },
    [](const Document& document) { return author().of(document).name; }, stay_inside,
    [](const Document& document) { return moult::call_method<std::string() const>(document, "described"); }};

MOULT_UPDATE {}
