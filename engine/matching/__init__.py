"""To which alerts, and to which times, does what an operator says apply? Pure: values in, values out."""
