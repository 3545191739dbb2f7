// Squares have a name, which owns memory.
#include <moult/load.hpp>
#include <moult/manager.hpp>

#include "moult/data_update.hpp"
#include "shapes.hpp"

class NamedSquare : public Shape, public moult::Updatable<NamedSquare, 64> {
 public:
  using Updatable<NamedSquare, 64>::operator new;
  using Updatable<NamedSquare, 64>::operator delete;
  explicit NamedSquare(int side);
  NamedSquare(NamedSquare&&) noexcept = default;
  ~NamedSquare() override;
  std::string text() const override;
  int side() const;

 private:
  int side_;
  std::string name_ = "a name that is longer than a string holds without memory";
};
MOULT_UPDATABLE NamedSquare::NamedSquare(int side) : side_(side) {}
MOULT_UPDATABLE NamedSquare::~NamedSquare() { side_ = 0; }
MOULT_UPDATABLE std::string NamedSquare::text() const { return "square " + std::to_string(side_) + ", " + name_; }
MOULT_UPDATABLE int NamedSquare::side() const { return side_; }

MOULT_UPDATE {
  moult::fetch_manager("test")->add_update(std::make_unique<moult::EagerConversionUpdate<Square, NamedSquare>>(
      "named", [](const Square& square) { return NamedSquare(square.side()); },
      moult::ConversionOptions<Square, NamedSquare>{.rebind = moult::Rebind::yes}));
}
