#include "classes.hpp"

namespace app {

Data* make_data(int x) { return new Data(x); }
int value_of(const Data& data) { return data.value(); }
bool are_equal(const Data& a, const Data& b) { return a == b; }
Data* copy_of(const Data& data) { return new Data(data); }
void add_to(Data& data, int more) { data += more; }
void drop(Data* data) { delete data; }
Shape* make_shape(int side) { return new Shape(side); }
Shape* make_square(int side) { return new Square(side); }
int area_of(const Shape& shape) { return shape.area(); }
std::string name_of(const Shape& shape) { return shape.name(); }
int side_of(const Shape& shape) { return shape.side(); }
void drop(Shape* shape) { delete shape; }
Figure* make_figure() { return new Figure; }
std::string name_of(const Figure& figure) { return figure.name(); }
void drop(Figure* figure) { delete figure; }

}  // namespace app
