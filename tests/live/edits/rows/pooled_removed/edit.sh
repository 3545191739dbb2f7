# A text is gone, and with it the way back.
sed -i '/colour_/d' item.hpp
sed -i 's/ + colour_//' item.cpp
