// Notes are marked. In several editions: FAILS in the stop; LONGER has a field more; KEEPS a function that has notes of
// this version on its stack; STARTS a thread that has notes of the first; and none of these.
#include <cstdlib>
#include <moult/load.hpp>
#include <moult/manager.hpp>
#include <stdexcept>
#include <thread>

#include "note.hpp"

#ifdef LONGER
class Note_v2 : public moult::Updatable<Note_v2> {
 public:
  Note_v2() : number_(-2) {}
  explicit Note_v2(int number);
  int number() const;
  void mark();
  std::string text() const;

 private:
  int number_;
  std::string marks_;
  int times_ = 0;
};
#else
#include "note_v2.hpp"
#endif

MOULT_UPDATABLE Note_v2::Note_v2(int number) : number_(number) {}
MOULT_UPDATABLE int Note_v2::number() const { return number_; }
MOULT_UPDATABLE void Note_v2::mark() { ++times_; }
MOULT_UPDATABLE std::string Note_v2::text() const {
  return std::to_string(number_) + ", marked " + std::to_string(times_);
}

namespace {

/// Code that only a transformer calls does not prevent later updates.
[[gnu::noinline]] Note_v2 counted(int number) {
  Note_v2 made(number);
  return made;
}
Note_v2 second(const Note& note) { return counted(note.number()); }
Note first(const Note_v2& note) { return Note(note.number()); }

#ifdef KEEPS
[[gnu::noinline]] std::string copied_v2(const Note& note) {
  const Note_v2 copy(reinterpret_cast<const Note_v2&>(note));
  return "second copy of " + copy.text();
}
#endif

using Conversion = moult::EagerConversionUpdate<Note, Note_v2>;

#ifdef FAILS
class Failing final : public Conversion {
 public:
  using Conversion::Conversion;
  void preresume_setup() override { throw std::runtime_error("trouble before the program is resumed"); }
};
#endif

#ifdef BY_HAND
/// Its own steps make the conversion.
class ByHand final : public moult::Update {
 public:
  ByHand() : Update("second") {}
  bool check_alterability() override { return true; }
  void apply() override {
    moult::start_eager_update<Note, Note_v2>(second, {.rebind = moult::Rebind::yes, .inverse = first});
  }
};
#endif

std::unique_ptr<moult::Update> make() {
#ifdef BY_HAND
  return std::make_unique<ByHand>();
#else
  moult::ConversionOptions<Note, Note_v2> options{.rebind = moult::Rebind::yes, .inverse = first};
#ifdef KEEPS
  options.redefinition.also.emplace_back(copied, copied_v2);
#endif
#ifdef FAILS
  return std::make_unique<Failing>("second", second, options);
#else
  return std::make_unique<Conversion>("second", second, options);
#endif
#endif
}

}  // namespace

#ifdef STARTS
/// It may run forever.
static void uses_notes() {
  const Note note(1);
  if (note.number() != 1) std::abort();
}

MOULT_UPDATE {
  std::thread(uses_notes).join();
  moult::fetch_manager("test")->add_update(make());
}
#else
MOULT_UPDATE { moult::fetch_manager("test")->add_update(make()); }
#endif
