// The classes as they shall be.
#include "update.hpp"

#include "moult/data_update.hpp"

namespace next {

class DataV2 : public moult::Updatable<DataV2> {
 public:
  explicit DataV2(int x);
  DataV2(const DataV2& other);
  ~DataV2();
  DataV2& operator=(const DataV2& other);

  int value() const;
  DataV2& operator+=(int more);
  bool operator==(const DataV2& other) const;
  static std::string version();
  static int destroyed();
  const std::string& origin() const;

 private:
  int x_;
  std::string origin_;
};

namespace {
int data_destroyed = 0;
}

DataV2::DataV2(int x) : x_(x), origin_("made by the new constructor, and long enough to be allocated") {}
DataV2::DataV2(const DataV2& other)
    : moult::Updatable<DataV2>(), x_(other.x_), origin_("copied from: " + other.origin_) {}
DataV2::~DataV2() { ++data_destroyed; }
DataV2& DataV2::operator=(const DataV2& other) = default;
int DataV2::value() const { return 1000 + x_; }
DataV2& DataV2::operator+=(int more) {
  x_ += 10 * more;
  return *this;
}
bool DataV2::operator==(const DataV2& other) const { return x_ == other.x_ && origin_ == other.origin_; }
std::string DataV2::version() { return "two"; }
int DataV2::destroyed() { return data_destroyed; }
const std::string& DataV2::origin() const { return origin_; }

class ShapeV2 {
 public:
  explicit ShapeV2(int side);
  virtual ~ShapeV2();
  virtual int area() const;
  virtual std::string name() const;
  int side() const;

 protected:
  int side_;
};

class ShapeWithCorners {
 public:
  explicit ShapeWithCorners(int side);
  virtual ~ShapeWithCorners();
  virtual int area() const;
  virtual std::string name() const;
  virtual int corners() const;
  int side() const;

 protected:
  int side_;
};

class FigureWithCorners : public moult::Updatable<FigureWithCorners> {
 public:
  FigureWithCorners();
  virtual ~FigureWithCorners();
  virtual std::string name() const;
  virtual int corners() const;
};

ShapeV2::ShapeV2(int side) : side_(side + 1) {}
ShapeV2::~ShapeV2() { ++data_destroyed; }
int ShapeV2::area() const { return -side_ * side_; }
std::string ShapeV2::name() const { return "new shape"; }
int ShapeV2::side() const { return side_; }

ShapeWithCorners::ShapeWithCorners(int side) : side_(side) {}
ShapeWithCorners::~ShapeWithCorners() { side_ = 0; }
int ShapeWithCorners::area() const { return side_ * side_; }
std::string ShapeWithCorners::name() const { return "shape with " + std::to_string(corners()) + " corners"; }
int ShapeWithCorners::corners() const { return 4; }
int ShapeWithCorners::side() const { return side_; }

FigureWithCorners::FigureWithCorners() = default;
FigureWithCorners::~FigureWithCorners() = default;
std::string FigureWithCorners::name() const { return "figure with " + std::to_string(corners()) + " corners"; }
int FigureWithCorners::corners() const { return 3; }

class SquareWithArea : public app::Shape {
 public:
  explicit SquareWithArea(int side);
  ~SquareWithArea() override;
  int area() const override;
  std::string name() const override;

 private:
  int squares_own_ = 77;
};

SquareWithArea::SquareWithArea(int side) : app::Shape(side) {}
SquareWithArea::~SquareWithArea() { squares_own_ = 0; }
int SquareWithArea::area() const { return 100 * side_; }
std::string SquareWithArea::name() const { return "square with an area"; }

template <class Old, class New>
class RedefinesAClass final : public moult::Update {
 public:
  using moult::Update::Update;
  void prepare() override { change_ = moult::prepare_redefinition<Old, New>(); }
  bool wait_alterability() override { return true; }
  bool check_alterability() override { return true; }
  void apply() override { change_.make(); }

 private:
  moult::PreparedRedefinition change_;
};

std::unique_ptr<moult::Update> redefine_data() { return std::make_unique<RedefinesAClass<app::Data, DataV2>>("data"); }
std::unique_ptr<moult::Update> redefine_shape() {
  return std::make_unique<RedefinesAClass<app::Shape, ShapeV2>>("shape");
}
std::unique_ptr<moult::Update> add_corners_to_shape() {
  return std::make_unique<RedefinesAClass<app::Shape, ShapeWithCorners>>("shape");
}
std::unique_ptr<moult::Update> add_corners_to_figure() {
  return std::make_unique<RedefinesAClass<app::Figure, FigureWithCorners>>("figure");
}
std::unique_ptr<moult::Update> override_area() {
  return std::make_unique<RedefinesAClass<app::Square, SquareWithArea>>("square");
}
std::string origin_of(const app::Data& data) { return reinterpret_cast<const DataV2&>(data).origin(); }
int corners_of(const app::Figure& figure) { return reinterpret_cast<const FigureWithCorners&>(figure).corners(); }
int data_v2_size() { return static_cast<int>(sizeof(DataV2)); }

}  // namespace next

extern "C" const LoadedUpdate loaded_update{
    next::redefine_data,         next::redefine_shape, next::add_corners_to_shape,
    next::add_corners_to_figure, next::override_area,  next::origin_of,
    next::DataV2::destroyed,     next::corners_of,     next::data_v2_size};
